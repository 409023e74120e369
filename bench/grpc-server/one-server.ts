import { setTimeout as pause } from 'node:timers/promises';

import { runH2load } from '../h2load';
import { ANSWERS } from '../lock-requests';
import type { NodeBinary } from '../node-binary';
import { holdLock } from '../one-call';
import { readCpuUs, readMemory } from '../process-usage';
import { startOurs, type StartedTarget } from '../started-target';
import { quantile } from '../statistics';
import { inParallel } from '../waiters/in-parallel';
import { NativeClient, type OpenHold } from '../waiters/native-client';

/** How much is done in one round. */
export interface RoundSize {
  readonly calls: number;
  /** Calls at a fixed rate. */
  readonly openCalls: number;
  readonly holds: number;
}

/** What one round gave for one server. */
export interface RoundResult {
  readonly startMs: number;
  readonly callsPerSecond: number;
  readonly cpuUs: number;
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly loadedMb: number;
  readonly holdKb: number;
}

/** The lock that somebody holds, and everybody asks for. */
const HOT = { storeName: 'lockstore', resourceId: 'hot' };

const IN_FLIGHT = 100;
/** Calls at one in flight take longer, and their mean needs fewer. */
const SINGLE_SHARE = 0.1;
const CALLS_A_TICK = 10;
const TICK_MS = 10;
const SETTLE_MS = 1000;
/** Long enough that no renewal comes while memory is read. */
const LEASE_MS = 600_000;
/** A client's connection has room for so many holds. */
const HOLDS_A_CLIENT = 500;
const BEGUN_AT_A_TIME = 50;

/** Starts a sidecar with one of the gRPC servers, measures all of it, and ends it. */
export async function measureServer(
  server: string,
  size: RoundSize,
  bench: { readonly node: NodeBinary; readonly folder: string; readonly h2load: string },
): Promise<RoundResult> {
  const target = await startOurs({
    name: server,
    node: bench.node,
    place: { store: 'memory' },
    folder: bench.folder,
    args: ['--grpc-server', server, '--max-lock-holds', String(2 * size.holds)],
  });
  try {
    return await measureTarget(target, size, bench);
  } finally {
    await target.process.stop();
  }
}

async function measureTarget(
  { ports: { grpc: port = 0 }, pid, startedInMs }: StartedTarget,
  { calls, openCalls, holds }: RoundSize,
  tools: { readonly folder: string; readonly h2load: string },
): Promise<RoundResult> {
  await holdLock({ transport: 'grpc', port }, HOT);
  const answerBytes = ANSWERS.grpc.refused.length;
  const load = { transport: 'grpc', port, request: HOT, answerBytes } as const;
  await runH2load(tools, { ...load, inFlight: IN_FLIGHT, calls });
  const before = await readCpuUs(pid);
  const { callsPerSecond } = await runH2load(tools, { ...load, inFlight: IN_FLIGHT, calls });
  const cpuUs = ((await readCpuUs(pid)) - before) / calls;
  const single = Math.ceil(calls * SINGLE_SHARE);
  const { meanMs } = await runH2load(tools, { ...load, inFlight: 1, calls: single });
  const p99Ms = quantile(await callAtARate(port, openCalls), 0.99);
  await pause(SETTLE_MS);
  const { rssMb: loadedMb } = await readMemory(pid);
  const holdKb = await measureHolds({ port, pid }, holds);
  const startMs = startedInMs.grpc ?? NaN;
  return { startMs, callsPerSecond, cpuUs, meanMs, p99Ms, loadedMb, holdKb };
}

/**
 * Makes 1,000 calls a second on one connection, whether they are answered or not. Returns how long
 * each took from when it was due, in milliseconds.
 */
async function callAtARate(port: number, calls: number): Promise<readonly number[]> {
  const client = new NativeClient(port);
  const beganMs = performance.now();
  const all: Promise<number>[] = [];
  while (all.length < calls) {
    const dueMs = beganMs + (all.length / CALLS_A_TICK) * TICK_MS;
    await pause(Math.max(0, dueMs - performance.now()));
    for (let count = 0; count < CALLS_A_TICK; count += 1) {
      const lock = { resourceId: `open-${all.length}`, lockOwner: 'o' };
      const call = client.acquire(lock, { ttlMs: LEASE_MS, waitMs: 0 });
      all.push(call.then(() => performance.now() - dueMs));
    }
  }
  const times = await Promise.all(all);
  client.close();
  return times;
}

/** What an open hold costs, in KB of resident memory. */
async function measureHolds(
  { port, pid }: { readonly port: number; readonly pid: number },
  count: number,
): Promise<number> {
  const { rssMb: before } = await readMemory(pid);
  const clients = Array.from(
    { length: Math.ceil(count / HOLDS_A_CLIENT) },
    () => new NativeClient(port),
  );
  const holds: OpenHold[] = [];
  await inParallel(count, BEGUN_AT_A_TIME, async (index) => {
    const lock = { resourceId: `hold-${index}`, lockOwner: `holder-${index}` };
    const hold = clients[index % clients.length]?.hold(lock, LEASE_MS, () => undefined);
    if (hold !== undefined) holds.push(hold);
    await hold?.held;
  });
  await pause(SETTLE_MS);
  const { rssMb: after } = await readMemory(pid);
  for (const hold of holds) hold.end();
  for (const client of clients) client.close();
  return ((after - before) * 1000) / count;
}
