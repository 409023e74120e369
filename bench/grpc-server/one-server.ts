import { setTimeout as pause } from 'node:timers/promises';

import { runH2load } from '../h2load';
import { ANSWERS } from '../lock-requests';
import type { NodeBinary } from '../node-binary';
import { holdLock } from '../one-call';
import { OPEN_CALLS_PER_SECOND, OPEN_IN_FLIGHT, planCalls } from '../pair-load';
import { readCpuUs, readMemory } from '../process-usage';
import { startOurs, type StartedTarget } from '../started-target';
import { median, quantile } from '../statistics';
import { runVegeta, type VegetaTools } from '../vegeta';
import { inParallel } from '../waiters/in-parallel';
import { NativeClient, type OpenHold } from '../waiters/native-client';

/** The load generators, and a folder for their files. */
export type BenchTools = VegetaTools & { readonly h2load: string };

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

/** One start says little; the median of these counts. */
const STARTS = 5;
const IN_FLIGHT = 100;
/** Calls at one in flight take longer, and their mean needs fewer. */
const SINGLE_SHARE = 0.1;
/** The first ones open the connection. */
const LEFT_OUT_CALLS = 250;
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
  bench: BenchTools & { readonly node: NodeBinary },
): Promise<RoundResult> {
  const { node, folder } = bench;
  const args = ['--grpc-server', server, '--max-lock-holds', String(2 * size.holds)];
  const options = { name: server, node, place: { store: 'memory' }, folder, args } as const;
  const startMs: number[] = [];
  const withServer = async <T>(measure: (target: StartedTarget) => T): Promise<Awaited<T>> => {
    const target = await startOurs(options);
    startMs.push(target.startedInMs.grpc ?? NaN);
    try {
      return await measure(target);
    } finally {
      await target.process.stop();
    }
  };
  for (let count = 2; count < STARTS; count += 1) await withServer(() => undefined);
  const holdKb = await withServer((target) => measureHolds(target, size.holds));
  const loaded = await withServer((target) => measureLoad(target, size, bench));
  return { ...loaded, holdKb, startMs: median(startMs) };
}

async function measureLoad(
  { ports: { grpc: port = 0 }, pid }: StartedTarget,
  { calls, openCalls }: RoundSize,
  tools: BenchTools,
): Promise<Omit<RoundResult, 'startMs' | 'holdKb'>> {
  await holdLock({ transport: 'grpc', port }, HOT);
  const answerBytes = ANSWERS.grpc.refused.length;
  const load = { transport: 'grpc', port, request: HOT, answerBytes } as const;
  await runH2load(tools, { ...load, inFlight: IN_FLIGHT, calls });
  const before = await readCpuUs(pid);
  const { callsPerSecond } = await runH2load(tools, { ...load, inFlight: IN_FLIGHT, calls });
  const cpuUs = ((await readCpuUs(pid)) - before) / calls;
  const single = Math.ceil(calls * SINGLE_SHARE);
  const { meanMs } = await runH2load(tools, { ...load, inFlight: 1, calls: single });
  const p99Ms = quantile(await callAtARate(tools, port, openCalls), 0.99);
  await pause(SETTLE_MS);
  const { rssMb: loadedMb } = await readMemory(pid);
  return { callsPerSecond, cpuUs, meanMs, p99Ms, loadedMb };
}

/**
 * Makes 1,000 calls a second, whether they are answered or not. Returns how long each took from when
 * it was due, in milliseconds. The client is in Go: one on grpc-js takes longer than what it measures.
 */
async function callAtARate(
  tools: VegetaTools,
  port: number,
  count: number,
): Promise<readonly number[]> {
  const { storeName } = HOT;
  const results = await runVegeta(tools, {
    transport: 'grpc',
    port,
    plan: planCalls('lock', { count, name: 'open', storeName }),
    callsPerSecond: OPEN_CALLS_PER_SECOND,
    inFlight: OPEN_IN_FLIGHT,
    check: ({ body }) => body.equals(ANSWERS.grpc.lock),
  });
  return results.waitsMs(LEFT_OUT_CALLS);
}

/**
 * What an open hold costs, in KB of resident memory. In a sidecar that has just started: load leaves
 * free memory behind, which holds would fill first.
 */
async function measureHolds(
  { ports: { grpc: port = 0 }, pid }: StartedTarget,
  count: number,
): Promise<number> {
  await pause(SETTLE_MS);
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
