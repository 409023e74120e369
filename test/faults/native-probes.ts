import { setTimeout as pause } from 'node:timers/promises';

import { CHANNEL_PREFIX, PRESENCE_PREFIX, toQueueKey } from '../../src/stores/redis/side-keys';
import { eventually } from '../support/eventually';
import type { RedisServer } from '../support/redis-server';
import type { LockRequest } from './lock-request';
import type { Made, OpenRecord, Recorder } from './recorder';
import type { SidecarUnderTest } from './sidecar-under-test';

/** Two sidecars on a Redis of their own, each behind a bad network. */
export interface NativeScene {
  readonly redis: RedisServer;
  readonly near: SidecarUnderTest;
  readonly far: SidecarUnderTest;
  readonly recorder: Recorder;
  readonly resourceId: string;
  /** The whole key of the resource. */
  readonly key: string;
}

const MINUTE_MS = 60_000;

/** A ticket of a sidecar that was killed, and its sidecar's id. */
const DEAD_SIDECAR = 'dead';

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** A call by the scene's own means; a lease lasts a minute unless more is said. */
function call(
  { recorder, resourceId, near }: NativeScene,
  what: Pick<LockRequest, 'kind' | 'owner'> & Partial<LockRequest>,
  sidecar = near,
): Promise<Made> {
  const request = { resourceId, ttlMs: MINUTE_MS, over: 'grpc', deadlineMs: 8000 } as const;
  return recorder.call(sidecar, { ...request, ...what });
}

function hold(
  { recorder, resourceId, near }: NativeScene,
  what: { readonly owner: string; readonly ttlMs?: number; readonly waitMs?: number },
  sidecar = near,
): OpenRecord {
  const request = { resourceId, ttlMs: MINUTE_MS, waitMs: 0, over: 'grpc' } as const;
  return recorder.hold(sidecar, { ...request, ...what });
}

const holderOf = ({ redis, key }: NativeScene) => redis.inspect((client) => client.get(key));

const ticketsOf = ({ redis, key }: NativeScene) =>
  redis.inspect((client) => client.zRange(toQueueKey(key), 0, -1));

async function untilQueued(scene: NativeScene, count: number): Promise<void> {
  await eventually(async () => {
    expect((await ticketsOf(scene)).length === count, `there are not ${count} tickets`);
  });
}

/** A lock that is held, and a hold of another owner that waits for it. */
async function withWaiter(scene: NativeScene, sidecar = scene.near): Promise<OpenRecord> {
  await call(scene, { kind: 'acquire', owner: 'holder' }, scene.far);
  const waiter = hold(scene, { owner: 'waiter', waitMs: 20_000 }, sidecar);
  await untilQueued(scene, 1);
  return waiter;
}

const release = (scene: NativeScene, owner = 'holder'): Promise<Made> =>
  call(scene, { kind: 'release', owner }, scene.far);

async function isHeldWithin(waiter: OpenRecord, ms: number): Promise<boolean> {
  return Promise.race([waiter.isHeld, pause(ms, false)]);
}

/** The native API's coincidences, each brought about on purpose; see `PROBES`. */
export const NATIVE_PROBES: Readonly<Record<string, (scene: NativeScene) => Promise<void>>> = {
  'a grant that is answered after the deadline is none': async (scene) => {
    const { near } = scene;
    await call(scene, { kind: 'acquire', owner: 'holder' }, scene.far);
    const calledAtMs = performance.now();
    const answer = call(scene, { kind: 'acquire', owner: 'waiter', waitMs: 2900 });
    await untilQueued(scene, 1);
    // The ask is with Redis before the deadline, and its reply with the sidecar after it.
    await pause(calledAtMs + 2690 - performance.now());
    near.proxy.delayMs = 80;
    await release(scene);
    const { answer: told } = await answer;
    const lateMs = performance.now() - calledAtMs - 2900;
    near.proxy.heal();
    expect(told !== 'acquired' || lateMs < 0, `granted ${lateMs.toFixed(0)} ms after its deadline`);
  },
  'a wait that may have been granted does not say that it did nothing': async (scene) => {
    const { near } = scene;
    // Its session is open, and its scripts are with Redis, so that the answer to the ask is what is lost.
    const first = await withWaiter(scene);
    first.leave();
    await untilQueued(scene, 0);
    await release(scene);
    near.proxy.dropReplies = true;
    const answer = call(scene, { kind: 'acquire', owner: 'waiter', waitMs: 2500 });
    await eventually(async () => {
      expect((await holderOf(scene)) === 'waiter', 'nothing was granted');
    });
    const restart = near.mishaps?.restart('SIGTERM');
    const { answer: told } = await answer;
    near.proxy.heal();
    await restart;
    expect(told !== 'not-applied', 'a call that was granted a lock says that it did nothing');
  },
  'a caller that leaves leaves no ticket': async (scene) => {
    const waiter = await withWaiter(scene);
    waiter.leave();
    await eventually(
      async () => {
        expect((await ticketsOf(scene)).length === 0, 'a ticket of an absent caller stays');
      },
      { withinMs: 1000 },
    );
  },
  'an ask that arrives after its withdrawal queues nobody': async (scene) => {
    const { near, far } = scene;
    await call(scene, { kind: 'acquire', owner: 'holder' }, far);
    // The session is open, so that the ask is what is held back.
    await call(scene, { kind: 'acquire', owner: 'first', waitMs: 50 });
    near.proxy.holdRequests = true;
    const ghost = hold(scene, { owner: 'ghost', waitMs: 20_000 });
    await eventually(() => {
      expect(near.proxy.isHolding, 'nothing was sent');
    });
    ghost.leave();
    near.proxy.heal();
    near.proxy.cut();
    // Before the time of the ask is over: then it would have no effect for that alone.
    await pause(100);
    near.proxy.deliverHeld();
    await pause(50);
    expect((await ticketsOf(scene)).length === 0, 'a withdrawn ask queued a ghost');
  },
  'a renewal prolongs the grant that it names, and nothing else': async (scene) => {
    const { redis, key } = scene;
    const { token: named } = await call(scene, { kind: 'acquire', owner: 'a', ttlMs: 200 });
    await pause(250);
    for (const token of [named, undefined]) {
      const { answer } = await call(scene, { kind: 'renew', owner: 'a', named: token });
      expect(answer === 'not_found', `a renewal of a lapsed lease was answered ${answer}`);
    }
    const again = await call(scene, { kind: 'acquire', owner: 'a' });
    const stale = await call(scene, { kind: 'renew', owner: 'a', named, ttlMs: 2 * MINUTE_MS });
    expect(stale.answer === 'held_by_other', `a later grant was renewed: ${stale.answer}`);
    await call(scene, { kind: 'renew', owner: 'a', named: again.token, ttlMs: 100 });
    const leftMs = await redis.inspect((client) => client.pTTL(key));
    expect(leftMs > 10_000, `a renewal left ${leftMs} ms of a longer lease`);
    await release(scene, 'a');
    const late = await call(scene, { kind: 'renew', owner: 'a', named: again.token });
    expect(late.answer === 'not_found', `a renewal after the release was answered ${late.answer}`);
    expect((await holderOf(scene)) === null, 'a renewal took the lock');
  },
  'a renewal touches no lock that a daprd has taken since': async (scene) => {
    const { redis, key } = scene;
    const { token: named } = await call(scene, { kind: 'acquire', owner: 'a' });
    await redis.inspect(async (client) => {
      await client.del(key);
      await client.set(key, 'a', { expiration: { type: 'EX', value: 50 }, condition: 'NX' });
    });
    const { seen } = await call(scene, { kind: 'get', owner: 'a' });
    expect(seen?.token === 0, `the lock of a daprd is shown with the token ${String(seen?.token)}`);
    const { answer } = await call(scene, { kind: 'renew', owner: 'a', named, ttlMs: 90_000 });
    expect(answer === 'held_by_other', `a renewal by a stale companion was answered ${answer}`);
  },
  'a repeated acquire shortens nothing': async (scene) => {
    const { near, far, redis, key } = scene;
    await call(scene, { kind: 'acquire', owner: 'b', ttlMs: 10 });
    await pause(20);
    near.proxy.dropReplies = true;
    const answer = call(scene, { kind: 'acquire', owner: 'a', ttlMs: 4000 });
    await eventually(async () => {
      expect((await holderOf(scene)) === 'a', 'Redis has granted nothing');
    });
    await call(scene, { kind: 'renew', owner: 'a' }, far);
    near.proxy.heal();
    const { answer: told } = await answer;
    const leftMs = await redis.inspect((client) => client.pTTL(key));
    expect(told === 'acquired', `an acquire whose reply was lost was answered ${told}`);
    expect(leftMs > 10_000, `a repeated acquire left ${leftMs} ms of a renewed lease`);
  },
  'who is refused holds nothing': async (scene) => {
    await call(scene, { kind: 'acquire', owner: 'holder' }, scene.far);
    await call(scene, { kind: 'acquire', owner: 'a' });
    await release(scene);
    await pause(300);
    expect((await holderOf(scene)) === null, 'the lock was taken for nobody');
  },
  'a token is the one that the store knows': async (scene) => {
    for (let count = 0; count < 20; count += 1) {
      const { token } = await call(scene, { kind: 'acquire', owner: 'a' });
      const { seen } = await call(scene, { kind: 'get', owner: 'a' });
      expect(seen?.token === token, `${String(token)} is shown as ${String(seen?.token)}`);
      await call(scene, { kind: 'release', owner: 'a', named: token });
    }
  },
  'a token rises over a flush': async (scene) => {
    const { redis } = scene;
    await redis.inspect((client) => client.flushAll());
    const { token: before = 0 } = await call(scene, { kind: 'acquire', owner: 'a' });
    await redis.inspect((client) => client.flushAll());
    const { token: after = 0 } = await call(scene, { kind: 'acquire', owner: 'b' });
    expect(after > before, `the token fell from ${before} to ${after}`);
  },
  'a lock that is named as a queue is, and its neighbour, stand beside each other': async (
    scene,
  ) => {
    const { far, redis, key } = scene;
    // It can be the lock `queue` of another app.
    await redis.inspect((client) => client.set(`${key}||queue`, 'neighbour'));
    await call(scene, { kind: 'acquire', owner: 'holder' }, far);
    const waiter = hold(scene, { owner: 'waiter', waitMs: 5000 });
    await pause(100);
    await release(scene);
    expect(await isHeldWithin(waiter, 1500), 'a waiter met the lock of another as its queue');
  },
  'a waiter finds a lock that ended without a word': async (scene) => {
    const { redis, key } = scene;
    const waiter = await withWaiter(scene);
    await redis.inspect((client) => client.del(key));
    expect(await isHeldWithin(waiter, 2000), 'nobody looked at a lock that ended by itself');
  },
  'a head that leaves wakes the next': async (scene) => {
    const { redis, far } = scene;
    const woken: string[] = [];
    const first = await withWaiter(scene);
    await redis.inspect(async (client) => {
      await client.pSubscribe(`${CHANNEL_PREFIX}*`, (attempt) => woken.push(attempt));
      const second = hold(scene, { owner: 'second', waitMs: 20_000 }, far);
      await untilQueued(scene, 2);
      const attempt = (await ticketsOf(scene))[1]!.split(':')[1]!;
      first.leave();
      await eventually(
        () => {
          expect(woken.includes(attempt), 'the head has left and woken nobody');
        },
        { withinMs: 1000 },
      );
      second.leave();
      await second.over;
    });
  },
  'dead tickets are passed by, and their queue ends': async (scene) => {
    const { redis, key } = scene;
    const ticket = `${DEAD_SIDECAR}:1:${Date.now() + MINUTE_MS}`;
    await redis.inspect(async (client) => {
      await client.zAdd(toQueueKey(key), { score: 1, value: ticket });
      await client.set(`${PRESENCE_PREFIX}${DEAD_SIDECAR}||`, '1', {
        expiration: { type: 'PX', value: 500 },
      });
    });
    const early = await call(scene, { kind: 'acquire', owner: 'early' });
    expect(early.answer === 'refused', 'a live ticket was passed by');
    const waiter = hold(scene, { owner: 'waiter', waitMs: 8000 }, scene.far);
    expect(await isHeldWithin(waiter, 2500), 'a dead head kept the others waiting');
    expect((await ticketsOf(scene)).length === 0, 'a ticket stays after its grant');
  },
  'a queue whose sidecar was lost ends': async (scene) => {
    const { near, redis, key } = scene;
    const waiter = await withWaiter(scene);
    near.proxy.refuse = true;
    near.proxy.cut();
    waiter.leave();
    await eventually(
      async () => {
        const exists = await redis.inspect((client) => client.exists(toQueueKey(key)));
        expect(exists === 0, 'a queue stays in Redis though nobody waits');
      },
      { withinMs: 4500 },
    );
  },
  'a release that may write no marker releases, and says so': async (scene) => {
    const { redis } = scene;
    const allow = (rule: string) =>
      redis.inspect((client) => client.sendCommand(['ACL', 'SETUSER', 'default', rule]));
    await call(scene, { kind: 'acquire', owner: 'a' });
    await allow('-set');
    const { answer, reason = '' } = await release(scene, 'a');
    await allow('+set');
    expect(answer === 'unlocked', `a release that was done was answered ${answer} ${reason}`);
  },
  'a hold that met its end is lost, whatever a renewal has done': async (scene) => {
    const { near } = scene;
    const held = hold(scene, { owner: 'a', ttlMs: 3000 });
    expect(await held.isHeld, 'a free lock was refused');
    await pause(500);
    // A renewal takes effect in this time, and nobody hears of it.
    near.proxy.dropReplies = true;
    await pause(2350);
    near.proxy.heal();
    await pause(1000);
    const told = held.events.map(({ type }) => type).join();
    const [first, second] = held.events;
    const isProlonged = (second?.validMs ?? 0) > (first?.validMs ?? 0);
    expect(second?.type !== 'atRisk' || !isProlonged, 'a failed renewal prolonged a hold');
    expect(told.endsWith('lost'), `after its end a hold was told ${told}`);
  },
  'a sidecar that stops releases nothing': async (scene) => {
    const held = hold(scene, { owner: 'a' });
    await held.isHeld;
    await scene.near.mishaps?.restart('SIGTERM');
    await pause(50);
    expect((await holderOf(scene)) === 'a', 'a stop has released a lock that is in use');
  },
  'a client that falls silent keeps its lock until it ends': async (scene) => {
    const held = hold(scene, { owner: 'a' });
    await held.isHeld;
    held.fallSilent();
    await pause(200);
    expect((await holderOf(scene)) === 'a', 'a silent client lost a lock that it may use');
  },
  'a client that leaves releases its lock': async (scene) => {
    const held = hold(scene, { owner: 'a' });
    await held.isHeld;
    held.leave();
    await eventually(
      async () => {
        expect((await holderOf(scene)) === null, 'a client has left, and its lock stays');
      },
      { withinMs: 1000 },
    );
  },
  'no try passes a waiter': async (scene) => {
    const { near, far } = scene;
    const waiter = await withWaiter(scene);
    near.proxy.holdRequests = true;
    await release(scene);
    const tries = [
      { kind: 'tryLock' },
      { kind: 'acquire' },
      { kind: 'acquire', waitMs: 200 },
    ] as const;
    for (const each of tries) {
      const { answer } = await call(scene, { ...each, owner: 'other' }, far);
      expect(answer === 'refused', `${JSON.stringify(each)} slipped in before the head`);
    }
    near.proxy.heal();
    near.proxy.deliverHeld();
    expect(await isHeldWithin(waiter, 2000), 'the head was not served');
  },
  'a forced release frees the grant that it names and no other': async (scene) => {
    const { token: named } = await call(scene, { kind: 'acquire', owner: 'a' });
    await release(scene, 'a');
    await call(scene, { kind: 'acquire', owner: 'b' });
    const { answer } = await call(scene, { kind: 'forceRelease', owner: 'x', named });
    expect(answer === 'held_by_other', `a forced release of an ended grant was answered ${answer}`);
    expect((await holderOf(scene)) === 'b', 'a newer grant was released by force');
  },
};
