import { randomUUID } from 'node:crypto';

import type { Action, Transport } from './lock-requests';
import type { Contestant, Measure } from './measure';
import type { Metrics } from './metrics';
import type { LoadShape } from './refused-load';
import { quantile } from './statistics';
import { answerCheck, pairsOf, portOf, servingBy, type Target } from './target';
import { runVegeta, type PlannedCall } from './vegeta';
import { withCpu, type Workbench } from './workbench';

/** The rate of the load that doesn't wait for answers, in calls a second. */
export const OPEN_CALLS_PER_SECOND = 1000;

/** More than are ever open at that rate unless a server stands still for seconds. */
export const OPEN_IN_FLIGHT = 5000;

/** How many pairs find out what a run of the wanted length is. */
const FIRST_PAIRS = 150;
const FIRST_PAIRS_IN_FLIGHT = 2;

/** How many calls of a rate are left out of the latencies: connections open, code is compiled. */
const LEAVE_OUT_SECONDS = 0.25;

/** The same action on so many resources of a name. */
export function* planCalls(
  action: Action,
  resources: { readonly count: number; readonly name: string; readonly storeName: string },
): Generator<PlannedCall> {
  const { count, name, storeName } = resources;
  for (let index = 0; index < count; index += 1) {
    yield { action, request: { storeName, resourceId: `${name}-${index}` } };
  }
}

/**
 * TryLock and Unlock of unique resources, at full speed with so many calls in flight: first all
 * locks, then their unlocks. Mixed, a lock could be sent long before its unlock and yet be served
 * after it, as a connection that waits to be accepted does over HTTP/1.1.
 */
export function pairMeasure(
  bench: Workbench,
  shape: LoadShape,
  targets: readonly Target[],
): Measure {
  const { store, transport, inFlight } = shape;
  const contestants = servingBy(transport, targets).map((target) =>
    pairContestant(bench, shape, target),
  );
  const pairs = pairsOf(contestants.map(({ name }) => name));
  return { name: `pairs/${transport}/${store}/${inFlight}`, contestants, pairs };
}

/** Takes and releases locks at full speed on one target. */
export function pairContestant(bench: Workbench, shape: LoadShape, target: Target): Contestant {
  const { transport, inFlight } = shape;
  const port = portOf(target, transport);
  const check = answerCheck(target, transport);
  const { storeName } = target;
  let pairs = FIRST_PAIRS + FIRST_PAIRS_IN_FLIGHT * inFlight;
  const run = async (): Promise<Metrics> => {
    const name = randomUUID();
    const send = (action: Action) =>
      runVegeta(bench.tools, {
        ...{ transport, port, inFlight, check },
        plan: planCalls(action, { count: pairs, name, storeName }),
      });
    const { result, cpuUs } = await withCpu([target.pid], async () => [
      await send('lock'),
      await send('unlock'),
    ]);
    const calls = 2 * pairs;
    const seconds = result.reduce((sum, each) => sum + each.calls / each.callsPerSecond, 0);
    const meanMs = result.reduce((sum, each) => sum + each.meanMs, 0) / result.length;
    pairs = Math.max(inFlight, Math.round((pairs / seconds) * bench.options.seconds));
    return { cpuUs: (cpuUs[0] ?? NaN) / calls, callsPerSecond: calls / seconds, meanMs };
  };
  return {
    name: target.name,
    prepare: async () => {
      for (let count = 0; count < bench.options.warmUpRuns; count += 1) await run();
    },
    run,
  };
}

/** The same at 1,000 calls a second that wait for no answer: what callers feel at a usual load. */
export function openMeasure(
  bench: Workbench,
  shape: Omit<LoadShape, 'inFlight'>,
  targets: readonly Target[],
): Measure {
  const { store, transport } = shape;
  const contestants = servingBy(transport, targets).map((target) => ({
    name: target.name,
    run: () => runOpen(bench, transport, target),
  }));
  const pairs = pairsOf(contestants.map(({ name }) => name));
  return { name: `open/${transport}/${store}/${OPEN_CALLS_PER_SECOND}`, contestants, pairs };
}

/** First the locks, then their unlocks: a server that is late may serve an unlock before its lock. */
async function runOpen(bench: Workbench, transport: Transport, target: Target): Promise<Metrics> {
  const { openSeconds } = bench.options;
  const rate = OPEN_CALLS_PER_SECOND;
  const count = Math.ceil((openSeconds * rate) / 2);
  const name = randomUUID();
  const send = (action: Action) =>
    runVegeta(bench.tools, {
      transport,
      port: portOf(target, transport),
      plan: planCalls(action, { count, name, storeName: target.storeName }),
      callsPerSecond: rate,
      inFlight: OPEN_IN_FLIGHT,
      check: answerCheck(target, transport),
    });
  const { result, cpuUs } = await withCpu([target.pid], async () => [
    await send('lock'),
    await send('unlock'),
  ]);
  const leaveOut = Math.min(LEAVE_OUT_SECONDS * rate, count / 2);
  const waitsMs = result.flatMap((each) => each.waitsMs(leaveOut));
  return {
    p50Ms: quantile(waitsMs, 0.5),
    p99Ms: quantile(waitsMs, 0.99),
    p999Ms: quantile(waitsMs, 0.999),
    cpuUs: (cpuUs[0] ?? NaN) / (2 * count),
  };
}
