import { MetadataProperties } from '../../src/components/metadata-properties';
import type { LockStore } from '../../src/lock/lock-store';
import { slotOf } from '../../src/stores/redis/cluster/slots';
import { redisDriver } from '../../src/stores/redis/redis-driver';
import { acquire, callOn } from '../conformance/ability-fixture';
import { RecordingLogger } from '../support/recording-logger';
import type { RedisCluster } from '../support/redis-cluster';

/** Makes a store on a cluster, and the log that it writes; it is not initialised. */
export function createClusterStore(
  cluster: Pick<RedisCluster, 'metadata'>,
  metadata: Readonly<Record<string, string>> = {},
): { readonly store: LockStore; readonly logger: RecordingLogger } {
  const logger = new RecordingLogger();
  const properties = new MetadataProperties(Object.entries({ ...cluster.metadata, ...metadata }));
  const store = redisDriver.create({ componentName: 'lockstore', properties, logger });
  return { store, logger };
}

/** Takes locks on each of the masters, and one whose slot has moved. */
export async function takeEverywhere(cluster: RedisCluster, store: LockStore): Promise<void> {
  const calls = Array.from({ length: 20 }, () => callOn());
  for (const call of calls) await acquire(store, call);
  const { key } = callOn();
  const from = await cluster.masterOf(slotOf(key));
  const to = cluster.servers.find((server) => server !== from)!;
  await cluster.move(slotOf(key), { from, to });
  await acquire(store, callOn({ key }));
}
