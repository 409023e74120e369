import type { Store } from './bench-options';
import { runH2load } from './h2load';
import type { Transport } from './lock-requests';
import type { Contestant, Measure } from './measure';
import type { Metrics } from './metrics';
import { holdLock } from './one-call';
import { runRedisBenchmark } from './redis-benchmark';
import { pairsOf, portOf, refusedBytes, servingBy, type Target } from './target';
import { withCpu, type Workbench } from './workbench';

/** The way in which a lock is asked for. */
export interface LoadShape {
  readonly store: Store;
  readonly transport: Transport;
  readonly inFlight: number;
}

/** The lock that somebody holds, and everybody asks for. */
const HOT = 'hot';

/** How many calls find out what a run of the wanted length is. */
const FIRST_CALLS = 300;
const FIRST_CALLS_IN_FLIGHT = 3;

/** TryLock of a lock that is held, at full speed: the call that contention makes most of. */
export function refusedMeasure(
  bench: Workbench,
  shape: LoadShape,
  targets: readonly Target[],
): Measure {
  const { store, transport, inFlight } = shape;
  const contestants = servingBy(transport, targets).map((target) =>
    refusedContestant(bench, shape, target),
  );
  const raw = store === 'redis' ? [rawRedis(bench, inFlight)] : [];
  const all = [...contestants, ...raw];
  const pairs = pairsOf(all.map(({ name }) => name));
  return { name: `refused/${transport}/${store}/${inFlight}`, contestants: all, pairs };
}

/** Sends refused TryLocks to one target: also what loads a server for other measures. */
export function refusedContestant(
  bench: Workbench,
  shape: LoadShape,
  target: Target,
): Contestant & { readonly callsSoFar: () => number } {
  const { transport, inFlight } = shape;
  const port = portOf(target, transport);
  const request = { storeName: target.storeName, resourceId: HOT };
  const answerBytes = refusedBytes(target, transport, request);
  let calls = FIRST_CALLS + FIRST_CALLS_IN_FLIGHT * inFlight;
  let sent = 0;
  const pids = shape.store === 'redis' && target.role === 'ours' ? [bench.redisPid] : [];
  const run = async (): Promise<Metrics> => {
    const load = { transport, port, request, inFlight, calls, answerBytes };
    const { result, cpuUs } = await withCpu([target.pid, ...pids], () =>
      runH2load(bench.tools, load),
    );
    const [cpu = NaN, redisCpu] = cpuUs.map((used) => used / result.calls);
    sent += result.calls;
    calls = Math.max(inFlight, Math.round(result.callsPerSecond * bench.options.seconds));
    const { callsPerSecond, meanMs } = result;
    const metrics = { cpuUs: cpu, callsPerSecond, meanMs };
    return redisCpu === undefined ? metrics : { ...metrics, redisCpuUs: redisCpu };
  };
  return {
    name: target.name,
    prepare: async () => {
      if (target.answers === 'locks') await holdLock({ transport, port }, request);
      for (let count = 0; count < bench.options.warmUpRuns; count += 1) await run();
    },
    run,
    callsSoFar: () => sent,
  };
}

/** The capacity of Redis itself, without a sidecar: `SET NX EX` of a key that is held. */
function rawRedis(bench: Workbench, inFlight: number): Contestant {
  let calls = FIRST_CALLS + FIRST_CALLS_IN_FLIGHT * inFlight;
  const run = async (): Promise<Metrics> => {
    const { result, cpuUs } = await withCpu([bench.redisPid], () =>
      runRedisBenchmark(bench.tools.redisBenchmark, { port: bench.redis.port, inFlight, calls }),
    );
    const redisCpuUs = (cpuUs[0] ?? NaN) / calls;
    calls = Math.max(inFlight, Math.round(result.callsPerSecond * bench.options.seconds));
    return { ...result, redisCpuUs };
  };
  return {
    name: 'redis SET NX EX',
    run,
    prepare: async () => {
      await run();
    },
  };
}
