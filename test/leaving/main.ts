import { rm } from 'node:fs/promises';

import { writeComponent } from '../support/component-files';
import { countOption, createScript, type ScriptValues } from '../support/long-run/script-command';
import { runScript, type ScriptRun } from '../support/long-run/script-run';
import { startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';
import { type Measured, type RunSite, runDeparture } from './departure-run';
import { DEPARTURES } from './departures';

interface LeavingValues extends ScriptValues {
  readonly ttl: number;
}

const command = createScript({
  name: 'test:leaving',
  description:
    'Clients and sidecars leave while a lock is held, by real processes. Tells after how long the next waiter had the lock, beside the bound that is promised.',
  example: '--ttl 2000',
}).addOption(countOption('--ttl <ms>', 'length of the leases, in milliseconds').default(3000));

/**
 * Exit code 1 where it took longer than the bound and an allowance for a busy machine, or where somebody got the lock
 * before the end that the client had been told.
 */
async function main({ ttl: ttlMs }: LeavingValues, run: ScriptRun): Promise<void> {
  const redis = await startRedisServer();
  const metadata = { redisHost: `127.0.0.1:${redis.port}` };
  const resources = await writeComponent({ type: 'lock.redis', metadata });
  const args = ['--resources-path', resources];
  const [sidecar, other] = [
    await SidecarProcess.start({ args }),
    await SidecarProcess.start({ args }),
  ];
  try {
    const all = await runAll({ ttlMs, resources, sidecar, other }, run);
    run.print(toTable(all, ttlMs));
    process.exitCode = all.some(({ problem }) => problem !== undefined) ? 1 : 0;
  } finally {
    await Promise.all([sidecar.stop(), other.stop()]);
    await redis.stop();
    await rm(resources, { recursive: true, force: true });
  }
}

/** Those that only wait, all at once; then those that need a sidecar each, in turn. */
async function runAll(site: RunSite, run: ScriptRun): Promise<readonly Measured[]> {
  const cases = DEPARTURES.flatMap((departure) =>
    departure.transports.map((transport) => ({ departure, transport })),
  );
  const shared = cases.filter(({ departure }) => departure.endsSidecarOf === undefined);
  const own = cases.filter(({ departure }) => departure.endsSidecarOf !== undefined);
  run.begin({ total: cases.length, unit: 'cases' });
  let done = 0;
  const measure = async ({ departure, transport }: (typeof cases)[number]): Promise<Measured> => {
    const measured = await runDeparture(departure, transport, site);
    done += 1;
    run.advance(done, departure.name);
    return measured;
  };
  const measured = await Promise.all(shared.map(measure));
  for (const each of own) measured.push(await measure(each));
  return measured;
}

function toTable(all: readonly Measured[], ttlMs: number): string {
  const rows = all.map(({ departure, transport, tookMs, afterEndMs, boundMs, problem }) => [
    departure.name,
    transport,
    afterEndMs === undefined
      ? `${tookMs} ms`
      : `not within ${tookMs - afterEndMs} ms; ${afterEndMs} ms after the end of the connection`,
    Number.isFinite(boundMs) ? `${boundMs} ms` : 'none',
    departure.why,
    problem === undefined ? 'ok' : `FAILED: ${problem}`,
  ]);
  const head = ['who leaves', 'transport', 'next waiter has the lock after', 'bound', 'why', ''];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`);
  return `Leases of ${ttlMs} ms, renewed after about a third of it.\n\n${lines.join('')}`;
}

void runScript(command, main);
