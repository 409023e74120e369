import { createAttempt } from '../../src/lock/attempt';
import type { LockStore } from '../../src/lock/lock-store';
import { acquire, beGranted, callOn, forever } from '../conformance/ability-fixture';
import { eventually } from '../support/eventually';
import { RedisCluster } from '../support/redis-cluster';
import type { RedisServer } from '../support/redis-server';
import { createClusterStore } from './cluster-fixture';

let cluster: RedisCluster;
let master: RedisServer;
let replica: RedisServer;
let store: LockStore;
beforeAll(async () => {
  cluster = await RedisCluster.start({ masters: 1, replicas: 1 });
  [master, replica] = cluster.servers as [RedisServer, RedisServer];
  store = createClusterStore(cluster, { minReplicasToAcknowledge: '1' }).store;
  await store.init(AbortSignal.timeout(20_000));
}, 60_000);
afterAll(async () => {
  await store.close();
  await cluster.stop();
});

const tooFew = {
  kind: 'unavailable',
  outcome: 'unknown',
  message: expect.stringContaining('only 0 of 1 replicas acknowledged the lease') as string,
};

/** Runs something while the replica does not acknowledge anything. */
const withoutReplica = async (run: () => Promise<void>): Promise<void> => {
  replica.pause();
  try {
    await run();
  } finally {
    replica.resume();
  }
};

describe('with minReplicasToAcknowledge', () => {
  it('a lock that was taken is on the replica', async () => {
    const calls = Array.from({ length: 50 }, () => callOn());
    const taken = await Promise.all(calls.map((call) => store.tryLock(call, forever())));
    expect(taken.every(({ acquired }) => acquired)).toBe(true);
    const there = await cluster.ask(replica, ['DBSIZE']);
    expect(there).toBeGreaterThanOrEqual(2 * calls.length);
  });

  it('a lock that no replica has is not taken, and nothing of it remains', async () => {
    const call = callOn();
    await withoutReplica(async () => {
      await expect(store.tryLock(call, forever())).rejects.toMatchObject(tooFew);
      await store.withdraw(call);
      await expect(cluster.ask(master, ['EXISTS', call.key])).resolves.toBe(0);
    });
    await acquire(store, callOn({ key: call.key }));
  });

  it('a renewal that no replica has is not confirmed, even if it changes nothing', async () => {
    const call = callOn();
    const { key, owner } = call;
    const { fencingToken } = await acquire(store, call);
    const renewal = { key, owner, fencingToken };
    await withoutReplica(async () => {
      const longer = store.leases!.renew({ ...renewal, ttlMs: 120_000 }, forever());
      await expect(longer).rejects.toMatchObject(tooFew);
      const shorter = store.leases!.renew({ ...renewal, ttlMs: 1000 }, forever());
      await expect(shorter).rejects.toMatchObject(tooFew);
    });
    await eventually(() => store.leases!.renew({ ...renewal, ttlMs: 1000 }, forever()));
  });

  it('a waiter gets no lock that no replica has', async () => {
    const call = callOn();
    await withoutReplica(async () => {
      await expect(store.queue!.ask(call, forever())).rejects.toMatchObject(tooFew);
    });
    await eventually(() => beGranted(store, call));
  });

  it('what grants nothing is not held up', async () => {
    const holder = callOn();
    await acquire(store, holder);
    await withoutReplica(async () => {
      let isRefused = false;
      const taken = store.tryLock(callOn(), forever()).catch(() => {
        isRefused = true;
      });
      const unlock = { ...holder, attempt: createAttempt() };
      await expect(store.unlock(unlock, forever())).resolves.toBe('unlocked');
      expect(isRefused).toBe(false);
      await taken;
    });
  });
});
