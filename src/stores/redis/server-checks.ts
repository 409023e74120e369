import type { Logger } from '../../base/logger';
import { StoreError } from '../../lock/lock-store';
import { isRefused, isUnknownCommand, toReplyText } from './redis-errors';
import type { RedisClient } from './redis-link';

/** The expectations of a server. */
export interface ServerCheckOptions {
  readonly logger: Logger;
  readonly mayReplicate: boolean;
  readonly isCluster: boolean;
  /** True if grants wait for replicas. */
  readonly mustWait: boolean;
  /** True if they wait until servers have them on disk. */
  readonly onDisk: boolean;
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
  { logger, mayReplicate, isCluster, mustWait, onDisk }: ServerCheckOptions,
): Promise<void> {
  if (mustWait) await assertWaits(client);
  if (onDisk) await assertWaitsForDisk(client);
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

/** Whether the replicas write to disk is not known to their master: then no grant is acknowledged. */
async function assertWaitsForDisk(client: RedisClient): Promise<void> {
  try {
    await client.sendCommand(['WAITAOF', '1', '0', '1']);
  } catch (error) {
    if (!isRefused(error)) throw error;
    if (toReplyText(error).includes('appendonly')) {
      throw refused(
        'acknowledgeOnDisk needs appendonly yes on the master and on its replicas: this Redis keeps no append-only file',
      );
    }
    const why = isUnknownCommand(error)
      ? 'came with Redis 7.2, and this server is older'
      : 'this Redis does not run for us';
    throw refused(`acknowledgeOnDisk needs WAITAOF, which ${why}`);
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
