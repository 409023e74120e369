import { createHash } from 'node:crypto';

/** A Lua script and the hash that Redis knows it by. */
export interface RedisScript {
  readonly source: string;
  /** SHA-1 in hex, what EVALSHA takes. */
  readonly sha1: string;
}

/** What {@link releaseScript} answers; the numbers of daprd's own script. */
export const RELEASE_REPLY = { gone: -1, heldByOther: -2 } as const;

/**
 * Releases a lock if it is held by exactly this owner, as one step.
 *
 * One script rather than GET and DEL: between the two the lease could end and another take the
 * lock, which the DEL would then free.
 */
export const releaseScript = defineScript(`
-- Releases a lock that this owner holds.
-- KEYS[1]  the lock's key
-- ARGV[1]  the owner that asks; compared byte for byte
-- Returns  -1 where nobody holds it, -2 where another owner does,
--          otherwise the number of keys deleted (1)
local holder = redis.call('get', KEYS[1])
if not holder then
  return -1
end
if holder ~= ARGV[1] then
  return -2
end
return redis.call('del', KEYS[1])
`);

function defineScript(source: string): RedisScript {
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}
