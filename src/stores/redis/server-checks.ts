import type { Logger } from '../../base/logger';
import { StoreError } from '../../lock/lock-store';
import { isRefused } from './redis-errors';
import type { RedisClient } from './redis-link';

/** The expectations of a server. */
export interface ServerCheckOptions {
  readonly logger: Logger;
  readonly mayReplicate: boolean;
  readonly isCluster: boolean;
  /** True if grants wait for replicas. */
  readonly mustWait: boolean;
}

/**
 * Checks a server before it stores locks, and refuses what daprd refuses: cluster mode unless the
 * component asks for it, and a Redis with connected replicas, because a promoted replica may not know a lock. If INFO is not answered,
 * nothing is known and nothing is refused, as in daprd.
 *
 * @param options `mayReplicate` is true behind Sentinel and in a cluster, where replicas are expected
 * @throws {StoreError} with daprd's sentence
 */
export async function checkServer(
  client: RedisClient,
  { logger, mayReplicate, isCluster, mustWait }: ServerCheckOptions,
): Promise<void> {
  if (mustWait) await assertWaits(client);
  const info = await readInfo(client);
  if (info === undefined) return;
  if (!isCluster && info.get('cluster_enabled') === '1') {
    throw refused('this component does not support connecting to Redis Cluster');
  }
  if (!mayReplicate && Number(info.get('connected_slaves') ?? 0) > 0) {
    throw refused('replication is not supported');
  }
  const policy = info.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    logger.warn(
      `Redis may evict locks when its memory is full: its maxmemory-policy is ${policy}; set it to noeviction`,
    );
  }
}

/** Grants that wait for replicas need two commands that nothing else needs. */
async function assertWaits(client: RedisClient): Promise<void> {
  for (const command of [['WAIT', '0', '0'], ['TIME']]) {
    try {
      await client.sendCommand(command);
    } catch (error) {
      if (!isRefused(error)) throw error;
      const name = String(command[0]);
      throw refused(`minReplicasToAcknowledge needs ${name}, which this Redis does not run for us`);
    }
  }
}

async function readInfo(client: RedisClient): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    return parseInfo(await client.info());
  } catch (error) {
    if (isRefused(error)) return undefined;
    throw error;
  }
}

/** Parses INFO: lines of `name:value`, with headings in between. */
function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const [name = '', value] = line.split(':', 2);
    if (value !== undefined) fields.set(name, value);
  }
  return fields;
}

function refused(message: string): StoreError {
  return new StoreError(message, { kind: 'rejected', outcome: 'not-applied' });
}
