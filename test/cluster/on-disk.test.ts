import type { LockStore } from '../../src/lock/lock-store';
import { acquire, beGranted, callOn, forever } from '../conformance/ability-fixture';
import { RedisCluster } from '../support/redis-cluster';
import { createClusterStore } from './cluster-fixture';

/** A server that is not the installed one: WAITAOF came with Redis 7.2. */
const findServer = (named: string): string => {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a script, which has no types
  const { SERVERS, ensureServer } = require('../../scripts/other-servers') as {
    readonly SERVERS: readonly { readonly name: string }[];
    readonly ensureServer: (server: { readonly name: string }) => string;
  };
  return ensureServer(SERVERS.find(({ name }) => name.startsWith(named))!);
};

const METADATA = {
  ...{ minReplicasToAcknowledge: '1', acknowledgeOnDisk: 'true' },
  ...{ readTimeout: '9s', writeTimeout: '9s' },
};

let cluster: RedisCluster;
let store: LockStore | undefined;
beforeAll(async () => {
  const args = ['--appendonly', 'yes', '--appendfsync', 'always'];
  cluster = await RedisCluster.start({ masters: 1, args, binary: findServer('Valkey') });
}, 60_000);
afterEach(() => store?.close());
afterAll(() => cluster.stop());

const open = async (on: RedisCluster = cluster): Promise<LockStore> => {
  const opened = createClusterStore(on, METADATA).store;
  store = opened;
  await opened.init(AbortSignal.timeout(20_000));
  return opened;
};

/** Sets whether a node of the cluster writes to disk. */
const setOnDisk = async (node: number, appendonly: 'yes' | 'no'): Promise<void> => {
  await cluster.ask(cluster.servers[node]!, ['CONFIG', 'SET', 'appendonly', appendonly]);
};

describe('with acknowledgeOnDisk', () => {
  it('locks are taken, renewed and waited for that are on disk', async () => {
    const opened = await open();
    const call = callOn();
    const { key, owner } = call;
    const { fencingToken } = await acquire(opened, call);
    const renewal = { key, owner, fencingToken, ttlMs: 90_000 };
    await expect(opened.leases!.renew(renewal, forever())).resolves.toMatchObject({
      status: 'renewed',
    });
    await beGranted(opened, callOn());
    const taken = await opened.tryLock(callOn(), forever());
    expect(taken).toMatchObject({ acquired: true });
  });

  it('a lock or a renewal that the replica has only in memory counts for nothing', async () => {
    const opened = await open();
    const call = callOn();
    const { key, owner } = call;
    const { fencingToken } = await acquire(opened, call);
    await setOnDisk(1, 'no');
    const tooFew = {
      kind: 'unavailable',
      outcome: 'unknown',
      message: expect.stringContaining(
        'only 0 of 1 replicas acknowledged the lease on disk within 3000 ms',
      ) as string,
    };
    const other = callOn();
    const ends = await Promise.allSettled([
      opened.tryLock(other, forever()),
      opened.leases!.renew({ key, owner, fencingToken, ttlMs: 120_000 }, forever()),
    ]);
    await setOnDisk(1, 'yes');
    expect(ends.map((end) => end.status === 'rejected' && (end.reason as unknown))).toEqual([
      expect.objectContaining(tooFew),
      expect.objectContaining(tooFew),
    ]);
    await opened.withdraw(other);
    await expect(cluster.ask(cluster.servers[0]!, ['EXISTS', other.key])).resolves.toBe(0);
  }, 60_000);

  it('a master that does not write to disk is refused', async () => {
    await setOnDisk(0, 'no');
    const refused = open();
    await expect(refused).rejects.toMatchObject({ kind: 'rejected' });
    await expect(refused).rejects.toThrow('acknowledgeOnDisk needs appendonly yes');
    await setOnDisk(0, 'yes');
  });

  it('a server that is too old for it is refused', async () => {
    const args = ['--appendonly', 'yes'];
    const binary = findServer('Redis 6.2');
    const older = await RedisCluster.start({ masters: 1, replicas: 0, args, binary });
    try {
      await expect(open(older)).rejects.toThrow(
        'acknowledgeOnDisk needs WAITAOF, which came with Redis 7.2, and this server is older',
      );
    } finally {
      await older.stop();
    }
  }, 60_000);
});
