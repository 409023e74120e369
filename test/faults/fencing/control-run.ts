import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { writeComponent } from '../../support/component-files';
import { startRedisServer } from '../../support/redis-server';
import { SidecarProcess } from '../../support/sidecar-process';
import { Random } from '../random';
import { openRegister } from './register';

const ROOT = path.join(__dirname, '../../..');

/** How long a worker's lease lasts, in milliseconds. */
export const LEASE_MS = 300;

/** How long a worker stands still: longer than its lease. */
const PAUSE_MS = { least: LEASE_MS + 50, most: 2 * LEASE_MS };

const WORKERS = 4;

/** The orders of a worker. */
export interface WorkerArgs {
  readonly sidecarPort: number;
  readonly redisPort: number;
  readonly isChecked: boolean;
}

/** The result for a register. */
export interface ControlReport {
  /** Writes that the register has confirmed, each of them one more. */
  readonly updates: number;
  /** The final value of the register. */
  readonly value: number;
  /** Confirmed and not in the register. */
  readonly lost: number;
  /** Reads and writes that the register refused. */
  readonly refused: number;
  readonly pauses: number;
}

/** Workers that raise a register under a lock, and are paused beyond their leases again and again. */
export async function runControl(options: {
  readonly isChecked: boolean;
  readonly pauses: number;
  readonly seed: number;
}): Promise<ControlReport> {
  const { isChecked, pauses, seed } = options;
  const redis = await startRedisServer();
  const metadata = { redisHost: `127.0.0.1:${redis.port}` };
  const folder = await writeComponent({ type: 'lock.redis', metadata });
  const sidecar = await SidecarProcess.start({ args: ['--resources-path', folder] });
  try {
    const args = { sidecarPort: sidecar.httpPort, redisPort: redis.port, isChecked };
    const workers = Array.from({ length: WORKERS }, () => startWorker(args));
    await pauseWorkers(workers, pauses, new Random(seed));
    const reports = await Promise.all(workers.map(endWorker));
    const register = await openRegister(redis.port, false);
    const value = (await register.read(0)) ?? 0;
    register.close();
    const updates = reports.reduce((sum, report) => sum + report.updates, 0);
    const refused = reports.reduce((sum, report) => sum + report.refused, 0);
    return { updates, value, lost: updates - value, refused, pauses };
  } finally {
    await sidecar.stop();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function startWorker(args: WorkerArgs): ChildProcess {
  const program = [path.join(ROOT, 'scripts/run-typescript.js'), path.join(__dirname, 'worker.ts')];
  return spawn(process.execPath, [...program, JSON.stringify(args)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

async function pauseWorkers(workers: ChildProcess[], pauses: number, random: Random) {
  for (let count = 0; count < pauses; count += 1) {
    const worker = random.pick(workers);
    worker.kill('SIGSTOP');
    await pause(random.between(PAUSE_MS.least, PAUSE_MS.most));
    worker.kill('SIGCONT');
    await pause(random.between(20, 100));
  }
}

/** Lets a worker finish what it does, and gives its report. */
async function endWorker(worker: ChildProcess): Promise<{ updates: number; refused: number }> {
  let output = '';
  worker.stdout?.on('data', (part: Buffer) => (output += part.toString()));
  const exited = new Promise((resolve) => worker.once('close', resolve));
  worker.stdin?.end();
  await exited;
  return JSON.parse(output) as { updates: number; refused: number };
}
