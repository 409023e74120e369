import { toQueueKey } from '../../src/stores/redis/side-keys';
import { quantile } from '../statistics';
import type { Finding } from './finding';
import { inParallel } from './in-parallel';
import type { WaitersOptions } from './options';
import { type Standing, World } from './world';

/** Longer than the whole part takes, in milliseconds. */
const TTL_MS = 600_000;

/** So many locks are taken and released at a time. */
const IN_FLIGHT = 50;

/** Each of many locks has a waiter, who gets it when it is released. */
export async function measureLockEach({ count, watchSeconds }: WaitersOptions): Promise<Finding> {
  const world = await World.start();
  try {
    await inParallel(count, IN_FLIGHT, (index) =>
      world.clientOf(index, count).acquire(holderOf(index), { ttlMs: TTL_MS, waitMs: 0 }),
    );
    await world.noteMemory();
    let standing: Standing | undefined;
    let timesMs: readonly number[] = [];
    const blocking = await world.watch.blockingOf(async () => {
      const takenAtMs = await waitAll(world, count);
      await world.watch.untilQueues(count);
      standing = await world.watchStanding(count, watchSeconds);
      timesMs = await releaseAll(world, takenAtMs);
    });
    await world.watch.untilEmpty();
    return {
      title: `one waiter on each of ${count} locks`,
      standing,
      blocking,
      lines: [
        ['served', `${timesMs.length}`],
        ['from the release to the waiter, median', `${quantile(timesMs, 0.5).toFixed(2)} ms`],
        ['the same, p99', `${quantile(timesMs, 0.99).toFixed(2)} ms`],
        ['the same, longest', `${quantile(timesMs, 1).toFixed(2)} ms`],
      ],
    };
  } finally {
    await world.stop();
  }
}

/** Gives, for each lock, when its waiter got it. The waiters release what they got. */
async function waitAll(world: World, count: number): Promise<readonly Promise<number>[]> {
  const takenAtMs: Promise<number>[] = [];
  await inParallel(count, IN_FLIGHT, async (index) => {
    takenAtMs[index] = waitFor(world, index, count);
    await world.watch.untilQueued(toQueueKey(`lock||myapp||each-${index}`), 1);
  });
  return takenAtMs;
}

async function waitFor(world: World, index: number, count: number): Promise<number> {
  const client = world.clientOf(index, count);
  const lock = { resourceId: `each-${index}`, lockOwner: `waiter-${index}` };
  await client.acquire(lock, { ttlMs: TTL_MS });
  const atMs = performance.now();
  await client.release(lock);
  return atMs;
}

/** Releases all locks. Gives the times from the answer to a release until its waiter had the lock, in milliseconds. */
async function releaseAll(
  world: World,
  takenAtMs: readonly Promise<number>[],
): Promise<readonly number[]> {
  const timesMs: number[] = [];
  const count = takenAtMs.length;
  await inParallel(count, IN_FLIGHT, async (index) => {
    await world.clientOf(index, count).release(holderOf(index));
    const releasedAtMs = performance.now();
    timesMs.push(((await takenAtMs[index]) ?? NaN) - releasedAtMs);
  });
  return timesMs;
}

function holderOf(index: number) {
  return { resourceId: `each-${index}`, lockOwner: 'holder' };
}
