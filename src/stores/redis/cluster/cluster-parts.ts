import type { RedisParts, RedisPartsOptions } from '../redis-parts';
import { ClusterConnection } from './cluster-connection';
import { createClusterSpelling } from './cluster-spelling';
import { ClusterWakeUps } from './cluster-wake-ups';

/** Creates the parts for a Redis Cluster. */
export function createClusterParts(options: RedisPartsOptions): RedisParts {
  const connection = new ClusterConnection(options);
  return {
    connection,
    spelling: createClusterSpelling(),
    allLinks: () => connection.allLinks(),
    toWakeUps: (wakeUps) => new ClusterWakeUps(connection, wakeUps),
    createSecondLinks: () => connection.openOthers(() => undefined),
  };
}
