import { slotOf } from '../../src/stores/redis/cluster/slots';
import { callGateway } from '../etcd/etcd-admin';
import type { ComponentFile } from '../support/component-files';
import { type EtcdCluster, startEtcd } from '../support/etcd-server';
import { eventually } from '../support/eventually';
import { startPostgresqlServer } from '../support/postgresql-server';
import { RedisCluster } from '../support/redis-cluster';
import { type RedisServer, startRedisServer } from '../support/redis-server';

/** The kinds of store with servers, by the names of the option `--store`. */
export const STORE_NAMES = ['redis', 'cluster', 'etcd', 'postgresql'] as const;

export type StoreName = (typeof STORE_NAMES)[number];

/** Somebody who takes locks on the same servers, and gives no tokens. */
export interface Daprd {
  /** Takes a lock for an hour. */
  lock(resourceId: string, owner: string): Promise<void>;
}

/** The servers behind a program's sidecars. */
export interface LockServers {
  /** As reports name the store. */
  readonly name: string;
  /** The component of the sidecars. */
  readonly component: ComponentFile;
  /** A daprd beside the sidecars, where daprd has such a store and reads the same locks. */
  readonly daprd?: Daprd;
  /** Ends all servers at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts them again after {@link kill}, and waits until they answer. */
  start(): Promise<void>;
  /** Ends every lease, as its expiry would. */
  endLeases(): Promise<void>;
  /** Ends them for good. */
  stop(): Promise<void>;
}

/** How long servers may take to answer again on a busy machine, in milliseconds. */
const ANSWERS = { withinMs: 30_000 };

/** etcd's own times, by which its least lease is 2 s. Servers of the tests have shorter ones. */
const ETCD_DEFAULTS = ['--heartbeat-interval', '100', '--election-timeout', '1000'];

/** Starts the servers of a store. */
export function startLockServers(name: StoreName): Promise<LockServers> {
  switch (name) {
    case 'redis':
      return startRedis();
    case 'cluster':
      return startCluster();
    case 'etcd':
      return startEtcdMember();
    case 'postgresql':
      return startPostgresql();
  }
}

async function startRedis(): Promise<LockServers> {
  const redis = await startRedisServer();
  return {
    name: 'Redis',
    component: { type: 'lock.redis', metadata: { redisHost: `127.0.0.1:${redis.port}` } },
    daprd: createDaprd(() => Promise.resolve(redis)),
    kill: () => redis.kill(),
    start: () => redis.start(),
    endLeases: () => flush(redis),
    stop: () => redis.stop(),
  };
}

async function startCluster(): Promise<LockServers> {
  const cluster = await RedisCluster.start({ masters: 3, replicas: 0 });
  const { servers, metadata } = cluster;
  return {
    name: 'Redis Cluster',
    component: { type: 'lock.redis', metadata },
    daprd: createDaprd((key) => cluster.masterOf(slotOf(key))),
    kill: async () => {
      await Promise.all(servers.map((server) => server.kill()));
    },
    start: async () => {
      await Promise.all(servers.map((server) => server.start()));
      await eventually(() => cluster.expectComplete(), ANSWERS);
    },
    endLeases: async () => {
      await Promise.all(servers.map(flush));
    },
    stop: () => cluster.stop(),
  };
}

async function flush(redis: RedisServer): Promise<void> {
  await redis.inspect((client) => client.flushAll());
}

/** Takes locks as a daprd does: under its key, which has the app id, with SET NX and no companion. */
function createDaprd(serverOf: (key: string) => Promise<RedisServer>): Daprd {
  return {
    async lock(resourceId, owner) {
      const key = `lock||myapp||${resourceId}`;
      const server = await serverOf(key);
      await server.inspect((client) =>
        client.set(key, owner, { condition: 'NX', expiration: { type: 'PX', value: 3_600_000 } }),
      );
    },
  };
}

async function startEtcdMember(): Promise<LockServers> {
  const etcd = await startEtcd({ args: ETCD_DEFAULTS });
  const [member] = etcd.members;
  return {
    name: 'etcd',
    component: { type: 'lock.etcd', metadata: { endpoints: etcd.endpoints } },
    kill: () => member!.kill(),
    start: async () => {
      etcd.relaunch(member!);
      await eventually(() => callGateway(member!, 'maintenance/status', {}), ANSWERS);
    },
    endLeases: () => revokeAll(etcd),
    stop: () => etcd.stop(),
  };
}

async function revokeAll({ members: [member] }: EtcdCluster): Promise<void> {
  const { leases = [] } = await callGateway(member!, 'lease/leases', {});
  for (const { ID } of leases as readonly { readonly ID: string }[]) {
    await callGateway(member!, 'lease/revoke', { ID });
  }
}

async function startPostgresql(): Promise<LockServers> {
  const server = await startPostgresqlServer();
  const { connectionString } = server;
  return {
    name: 'PostgreSQL',
    component: { type: 'lock.postgresql', metadata: { connectionString } },
    kill: () => server.kill(),
    start: () => server.start(),
    endLeases: async () => {
      await server.query('UPDATE holdfast_locks SET ends_at = clock_timestamp()');
    },
    stop: () => server.stop(),
  };
}
