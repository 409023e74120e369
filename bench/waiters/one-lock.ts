import { toQueueKey } from '../../src/stores/redis/side-keys';
import type { Finding } from './finding';
import type { WaitersOptions } from './options';
import { type Standing, World } from './world';

const RESOURCE = 'one';
const KEY = `lock||myapp||${RESOURCE}`;

/** The holder keeps the lock until everybody waits; each waiter passes it on at once. In milliseconds. */
const TTL_MS = 600_000;

/** Many wait for one lock, and each passes it on: in the order in which they came. */
export async function measureOneLock({ count, watchSeconds }: WaitersOptions): Promise<Finding> {
  const world = await World.start();
  try {
    const holder = { resourceId: RESOURCE, lockOwner: 'holder' };
    const [client] = world.clients;
    await client?.acquire(holder, { ttlMs: TTL_MS, waitMs: 0 });
    await world.noteMemory();
    const served: number[] = [];
    let standing: Standing | undefined;
    let servedInMs = 0;
    let scripts = await world.watch.scriptRuns();
    const blocking = await world.watch.blockingOf(async () => {
      const all = await queueAll(world, count, served);
      standing = await world.watchStanding(count, watchSeconds);
      const releasedAtMs = performance.now();
      await client?.release(holder);
      await Promise.all(all);
      servedInMs = performance.now() - releasedAtMs;
    });
    scripts = (await world.watch.scriptRuns()) - scripts;
    assertInOrder(served);
    await world.watch.untilEmpty();
    return {
      title: `${count} waiters on one lock`,
      standing,
      blocking,
      lines: [
        ['served in order', `${served.length}`],
        ['from one to the next, on average', `${(servedInMs / count).toFixed(2)} ms`],
        ['scripts for each waiter', (scripts / count).toFixed(1)],
      ],
    };
  } finally {
    await world.stop();
  }
}

/** So many begin to wait at a time. */
const AT_A_TIME = 250;

/**
 * Lets all of them wait. Gives a promise for each, which is fulfilled when it has passed the lock on. The order in which
 * they come is known: calls on one connection arrive in order, and the next connection begins when all of them wait.
 */
async function queueAll(
  world: World,
  count: number,
  served: number[],
): Promise<readonly Promise<void>[]> {
  const all: Promise<void>[] = [];
  let last = world.clientOf(0, count);
  const queueKey = toQueueKey(KEY);
  for (let index = 0; index < count; index += 1) {
    const client = world.clientOf(index, count);
    const isNext = client !== last || (index > 0 && index % AT_A_TIME === 0);
    if (isNext) await world.watch.untilQueued(queueKey, index);
    last = client;
    const lock = { resourceId: RESOURCE, lockOwner: `waiter-${index}` };
    const passOn = async () => {
      await client.acquire(lock, { ttlMs: TTL_MS });
      served.push(index);
      await client.release(lock);
    };
    all.push(passOn());
  }
  await world.watch.untilQueued(queueKey, count);
  return all;
}

function assertInOrder(served: readonly number[]): void {
  const at = served.findIndex((index, place) => index !== place);
  if (at < 0) return;
  throw new Error(`waiter ${served[at] ?? NaN} was served as number ${at}`);
}
