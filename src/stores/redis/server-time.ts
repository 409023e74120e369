import type { RedisClient } from './redis-link';

/**
 * Asks Redis for its time, in whole milliseconds since 1970. Rejects with the error of Redis or
 * node-redis.
 */
export async function readTime(client: RedisClient): Promise<number> {
  const [seconds = NaN, microseconds = NaN] = (await client.time()).map(Number);
  const serverMs = seconds * 1000 + Math.floor(microseconds / 1000);
  if (!Number.isSafeInteger(serverMs)) throw new Error('Redis gave an unexpected reply to TIME');
  return serverMs;
}
