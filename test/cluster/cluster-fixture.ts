import { MetadataProperties } from '../../src/components/metadata-properties';
import type { LockStore } from '../../src/lock/lock-store';
import { redisDriver } from '../../src/stores/redis/redis-driver';
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
