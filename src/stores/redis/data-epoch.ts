import { ErrorReply } from 'redis';

import type { RedisClient } from './redis-link';

/** Commands that drop every key of a database; Redis counts them, the process being the same. */
const DROPPING_COMMANDS = ['flushall', 'flushdb', 'swapdb'];

/**
 * Names the life of a server's data: another process (its run id), or the same one after a flush,
 * has another name, as it may have lost what was there. Undefined where the user may not ask.
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
