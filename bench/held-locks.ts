import { randomUUID } from 'node:crypto';

import { startRedisServer } from '../test/support/redis-server';
import type { Store } from './bench-options';
import type { Contestant, Measure } from './measure';
import type { NodeBinary } from './node-binary';
import { pairContestant, planCalls } from './pair-load';
import { startOurs, type StartedTarget } from './started-target';
import { answerCheck, portOf } from './target';
import { runVegeta } from './vegeta';
import { nameOn, type Workbench } from './workbench';

/** Enough to fill a store in minutes, few enough to leave no queue. */
const IN_FLIGHT = 50;

/** Locks are taken in parts: a part's plan and results fit into the memory of a small machine. */
const LOCKS_A_PART = 100_000;

/** How often the load is run before it counts, in multiples of the usual. */
const WARM_UP_FACTOR = 3;

/** A measure of servers that were started for it alone. */
export interface StartedMeasure {
  readonly measure: Measure;
  stop(): Promise<void>;
}

/**
 * The cost of a pair of TryLock and Unlock while so many other locks are held. Each amount has a
 * sidecar (and a Redis) of its own, so that rounds alternate between amounts as they do elsewhere:
 * each is told beside the first amount.
 */
export async function startHeldMeasure(
  bench: Workbench,
  store: Store,
  node: NodeBinary,
): Promise<StartedMeasure> {
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.reverse()) await close();
  };
  try {
    const contestants: Contestant[] = [];
    for (const held of bench.options.held) {
      const target = await startOne(bench, { store, node, held }, closers);
      await takeLocks(bench, target, held);
      contestants.push(
        warmContestant(bench, pairContestant(bench, { store, ...loadOf(bench) }, target)),
      );
    }
    const [first, ...others] = contestants.map(({ name }) => name);
    const pairs = first === undefined ? [] : others.map((of) => ({ of, to: first }));
    const { transport } = loadOf(bench);
    return { measure: { name: `held/${transport}/${store}`, contestants, pairs }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One that has taken a million locks has compiled its code; one that took one lock has yet to. */
function warmContestant(bench: Workbench, contestant: Contestant): Contestant {
  const runs = WARM_UP_FACTOR * bench.options.warmUpRuns;
  const prepare = async () => {
    for (let run = 0; run < runs; run += 1) await contestant.run();
  };
  return { ...contestant, prepare };
}

function loadOf(bench: Workbench) {
  return { transport: bench.options.transports[0] ?? 'grpc', inFlight: IN_FLIGHT };
}

async function startOne(
  bench: Workbench,
  { store, node, held }: { store: Store; node: NodeBinary; held: number },
  closers: (() => Promise<void>)[],
): Promise<StartedTarget> {
  const name = `${nameOn(bench, 'ours', node)}, ${held.toLocaleString('en')} held`;
  const { folder } = bench.tools;
  if (store === 'memory') {
    const target = await startOurs({ name, node, place: { store }, folder });
    closers.push(() => target.process.stop());
    return target;
  }
  const redis = await startRedisServer();
  closers.push(() => redis.stop());
  const place = { store, redisPort: redis.port };
  const target = await startOurs({ name, node, place, folder });
  closers.push(() => target.process.stop());
  return target;
}

async function takeLocks(bench: Workbench, target: StartedTarget, held: number): Promise<void> {
  const { transport } = loadOf(bench);
  const port = portOf(target, transport);
  const check = answerCheck(target, transport);
  for (let taken = 0; taken < held; taken += LOCKS_A_PART) {
    const count = Math.min(LOCKS_A_PART, held - taken);
    const plan = planCalls('lock', { count, name: randomUUID(), storeName: target.storeName });
    await runVegeta(bench.tools, { transport, port, plan, inFlight: IN_FLIGHT, check });
  }
}
