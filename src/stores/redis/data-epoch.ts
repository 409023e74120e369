import { ErrorReply } from 'redis';

import type { RedisClient } from './redis-link';

/** Commands that drop all keys of a database. Redis counts them for the lifetime of its process. */
const DROPPING_COMMANDS = ['flushall', 'flushdb', 'swapdb'];

/**
 * Reads an identifier for the lifetime of a server's data. It changes with the process (its run id)
 * and with a flush, because data may have been lost then. Undefined if the user may not ask.
 */
export async function readDataEpoch(client: RedisClient): Promise<string | undefined> {
  try {
    const [server, stats] = await Promise.all([client.info('server'), client.info('commandstats')]);
    const runId = /^run_id:(\S+)/m.exec(server)?.[1];
    if (runId === undefined) return undefined;
    const drops = DROPPING_COMMANDS.map(
      (name) => new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? '0',
    );
    return [runId, ...drops].join('/');
  } catch (error) {
    if (error instanceof ErrorReply) return undefined;
    throw error;
  }
}
