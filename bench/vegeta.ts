import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

import {
  HEADERS,
  bodyOf,
  pathOf,
  type Action,
  type LockRequest,
  type Transport,
} from './lock-requests';
import { runCommand } from './run-command';
import { VegetaResults, type AnswerCheck } from './vegeta-results';

/** A call of a plan. */
export interface PlannedCall {
  readonly action: Action;
  readonly request: LockRequest;
}

/** Calls that differ from each other, in the order in which they are to be sent. */
export interface PlannedLoad {
  readonly transport: Transport;
  readonly port: number;
  readonly plan: Iterable<PlannedCall>;
  /** Sends at this rate whatever the answers do; at full speed where there is none. */
  readonly callsPerSecond?: number;
  /** How many calls may be open at a time; at a rate this must never be reached. */
  readonly inFlight: number;
  readonly check: AnswerCheck;
}

/** The generator's binary, and where its files go. */
export interface VegetaTools {
  readonly vegeta: string;
  readonly folder: string;
}

const WITHIN_MS = 600_000;

/**
 * Runs vegeta over a plan of calls, each with a resource of its own. It speaks HTTP/1.1 and cleartext
 * HTTP/2, so that one generator serves both transports: a gRPC call is a POST whose body is one frame.
 * At a rate it starts each call at its time, in a goroutine that waits for no other call.
 */
export async function runVegeta(tools: VegetaTools, load: PlannedLoad): Promise<VegetaResults> {
  const plan = path.join(tools.folder, 'plan.json');
  const output = path.join(tools.folder, 'results.bin');
  await writePlan(plan, load);
  const headers = Object.entries(HEADERS[load.transport]).flatMap(([name, value]) => [
    '-header',
    `${name}: ${value}`,
  ]);
  const rate = load.callsPerSecond === undefined ? '0' : `${load.callsPerSecond}/1s`;
  const open = ['-workers', String(load.inFlight), '-max-workers', String(load.inFlight)];
  const protocol = load.transport === 'grpc' ? ['-h2c'] : [];
  const files = ['-lazy', '-format', 'json', '-targets', plan, '-output', output];
  const args = ['attack', ...files, '-rate', rate, ...open, ...protocol, ...headers];
  await runCommand(tools.vegeta, args, { withinMs: WITHIN_MS });
  return readResults(tools.vegeta, output, load);
}

async function writePlan(file: string, load: PlannedLoad): Promise<void> {
  const { transport, port, plan } = load;
  const stream = createWriteStream(file);
  for (const { action, request } of plan) {
    const url = `http://127.0.0.1:${port}${pathOf(transport, action, request.storeName)}`;
    const body = bodyOf(transport, action, request).toString('base64');
    if (!stream.write(`${JSON.stringify({ method: 'POST', url, body })}\n`)) {
      await once(stream, 'drain');
    }
  }
  stream.end();
  await once(stream, 'close');
}

async function readResults(
  vegeta: string,
  file: string,
  load: PlannedLoad,
): Promise<VegetaResults> {
  const results = new VegetaResults(load.check, load.callsPerSecond);
  const child = spawn(vegeta, ['encode', '--to', 'csv', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) results.add(line);
  await closed;
  results.assertAllRight();
  return results;
}
