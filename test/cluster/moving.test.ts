import { createAttempt } from '../../src/lock/attempt';
import type { LockStore } from '../../src/lock/lock-store';
import { createClusterSpelling } from '../../src/stores/redis/cluster/cluster-spelling';
import { slotOf } from '../../src/stores/redis/cluster/slots';
import {
  acquire,
  beGranted,
  callOn,
  forever,
  RecordingListener,
} from '../conformance/ability-fixture';
import { eventually } from '../support/eventually';
import { type Move, RedisCluster } from '../support/redis-cluster';
import { createClusterStore } from './cluster-fixture';

let cluster: RedisCluster;
let store: LockStore;
beforeAll(async () => {
  cluster = await RedisCluster.start();
}, 60_000);
beforeEach(async () => {
  store = createClusterStore(cluster).store;
  await store.init(AbortSignal.timeout(20_000));
});
afterEach(() => store.close());
afterAll(() => cluster.stop());

/** Where the slot of a key is, and where it is to go. */
const endsOf = async (key: string): Promise<Move> => {
  const from = await cluster.masterOf(slotOf(key));
  const to = cluster.servers.slice(0, 3).find((server) => server !== from)!;
  return { from, to };
};

const moveSlotOf = async (key: string): Promise<void> => {
  await cluster.move(slotOf(key), await endsOf(key));
};

describe('a lock whose slot has been moved', () => {
  it('keeps its grant: it can be renewed and released by its token', async () => {
    const call = callOn();
    const { key, owner } = call;
    const { fencingToken } = await acquire(store, call);
    await moveSlotOf(key);
    const renewed = store.leases!.renew({ key, owner, fencingToken, ttlMs: 90_000 }, forever());
    await expect(renewed).resolves.toMatchObject({ status: 'renewed', grant: { fencingToken } });
    const view = await store.views!.get(key, forever());
    expect(view).toMatchObject({ owner, fencingToken });
    const release = { key, owner, fencingToken, attempt: createAttempt() };
    await expect(store.leases!.release(release, forever())).resolves.toBe('unlocked');
  });

  it('is seen where it is now', async () => {
    const call = callOn();
    await acquire(store, call);
    await moveSlotOf(call.key);
    await expect(store.views!.get(call.key, forever())).resolves.toMatchObject({
      owner: call.owner,
    });
  });

  it('has higher tokens from then on', async () => {
    const first = callOn();
    const { key, owner } = first;
    const before = await acquire(store, first);
    await moveSlotOf(key);
    await store.unlock({ key, owner, attempt: createAttempt() }, forever());
    const after = await acquire(store, callOn({ key }));
    expect(after.fencingToken).toBeGreaterThan(before.fencingToken);
  });

  it('is withdrawn where it is now', async () => {
    const call = callOn();
    await acquire(store, call);
    await moveSlotOf(call.key);
    await store.withdraw(call);
    const to = await cluster.masterOf(slotOf(call.key));
    await expect(cluster.ask(to, ['EXISTS', call.key])).resolves.toBe(0);
    await beGranted(store, callOn({ key: call.key }));
  });

  it('is handed on to its waiters', async () => {
    const listener = new RecordingListener();
    store.queue!.listen(listener);
    const holder = callOn();
    await acquire(store, holder);
    const waiter = callOn({ key: holder.key });
    await expect(store.queue!.ask(waiter, forever())).resolves.toMatchObject({ state: 'queued' });
    await moveSlotOf(holder.key);
    const to = await cluster.masterOf(slotOf(holder.key));
    const channel = expect.stringContaining(createClusterSpelling().tagOf(holder.key)) as string;
    await eventually(async () => {
      expect(await cluster.ask(to, ['PUBSUB', 'SHARDCHANNELS'])).toContainEqual(channel);
    });
    // As after a lapse: on a busy machine the move took longer than a ticket lives.
    await store.queue!.ask(waiter, forever());
    await store.unlock({ ...holder, attempt: createAttempt() }, forever());
    await eventually(() => {
      expect(listener.told).toContain(waiter.attempt.id);
    });
    await beGranted(store, waiter);
  });
});

describe('a slot that is being moved', () => {
  it('makes calls for its locks wait until it has been moved', async () => {
    const call = callOn();
    const ends = await endsOf(call.key);
    await cluster.beginMove(slotOf(call.key), ends);
    let isOver = false;
    const taken = store.tryLock(call, forever()).finally(() => {
      isOver = true;
    });
    await store.tryLock(callOn(), forever());
    expect(isOver).toBe(false);
    await cluster.endMove(slotOf(call.key), ends);
    await expect(taken).resolves.toMatchObject({ acquired: true });
    await expect(cluster.ask(ends.to, ['GET', call.key])).resolves.toBe(call.owner);
  });

  it('makes looks at its locks wait until it has been moved', async () => {
    const call = callOn();
    const ends = await endsOf(call.key);
    await cluster.beginMove(slotOf(call.key), ends);
    const seen = store.views!.get(call.key, forever());
    await store.tryLock(callOn(), forever());
    await cluster.endMove(slotOf(call.key), ends);
    await expect(seen).resolves.toBeUndefined();
  });

  it('refuses nothing that is held there', async () => {
    const call = callOn();
    await acquire(store, call);
    const ends = await endsOf(call.key);
    await cluster.beginMove(slotOf(call.key), ends);
    const released = store.unlock({ ...call, attempt: createAttempt() }, forever());
    await cluster.endMove(slotOf(call.key), ends);
    await expect(released).resolves.toBe('unlocked');
  });

  it('fails its calls as unavailable if it is not moved in time', async () => {
    const { store: quick } = createClusterStore(cluster, { writeTimeout: '500ms' });
    await quick.init(AbortSignal.timeout(20_000));
    const call = callOn();
    const ends = await endsOf(call.key);
    await cluster.beginMove(slotOf(call.key), ends);
    await expect(quick.tryLock(call, forever())).rejects.toMatchObject({
      kind: 'unavailable',
      outcome: 'not-applied',
      message: expect.stringContaining('is moving the slot of the lock') as string,
    });
    await cluster.endMove(slotOf(call.key), ends);
    await quick.close();
  });
});

describe('the locks of a cluster', () => {
  it('are listed from all masters, page by page', async () => {
    const keys = Array.from({ length: 60 }, () => callOn().key);
    const prefix = 'lock||listed||';
    const calls = keys.map((key) => callOn({ key: key.replace('lock||conformance||', prefix) }));
    for (const call of calls) await acquire(store, call);
    const found = new Set<string>();
    let pageToken: string | undefined;
    do {
      const call = { keyPrefix: prefix, pageSize: 7, pageToken };
      const page = await store.views!.list(call, forever());
      for (const { key } of page.locks) found.add(key);
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    expect(found).toEqual(new Set(calls.map(({ key }) => key)));
  });
});

describe('a master that is killed', () => {
  it('takes only its own slots away, until its replica is promoted', async () => {
    const lost = cluster.servers[0]!;
    const call = callOn();
    await acquire(store, call);
    const masters = await cluster.masters(cluster.servers[1]);
    const isLost = (key: string): boolean =>
      masters.some(({ server, has }) => server === lost && has(slotOf(key)));
    const callWhere = (condition: (key: string) => boolean) => {
      for (;;) {
        const each = callOn();
        if (condition(each.key)) return each;
      }
    };
    await lost.kill();
    const others = callWhere((key) => !isLost(key));
    await expect(store.tryLock(others, forever())).resolves.toMatchObject({ acquired: true });
    await expect(store.ping(forever())).rejects.toMatchObject({ kind: 'unavailable' });
    await eventually(
      async () => {
        const own = callWhere(isLost);
        const taken = await store.tryLock(own, forever());
        expect(taken.acquired).toBe(true);
      },
      { withinMs: 30_000 },
    );
    await eventually(() => store.ping(forever()));
  }, 60_000);
});
