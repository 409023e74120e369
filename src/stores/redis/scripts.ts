import { createHash } from 'node:crypto';

/** A Lua script and the hash that Redis knows it by. */
export interface RedisScript {
  readonly source: string;
  /** SHA-1 in hex, what EVALSHA takes. */
  readonly sha1: string;
}

/**
 * What the scripts answer. Every number is distinct, so that a reply can't be taken for that of
 * another script.
 */
export const REPLY = {
  refused: 0,
  acquired: 1,
  unlocked: 2,
  notFound: -1,
  heldByOther: -2,
  withdrawn: 3,
  nothingToWithdraw: 4,
  /** The script ran after its notAfter and has changed nothing. */
  stale: -3,
  /** A later send of the same attempt, or its withdrawal, came first; nothing was changed. */
  superseded: -4,
} as const;

/** The number in the marker of a withdrawn attempt: higher than that of any send. */
const WITHDRAWN_NUMBER = 2 ** 31;

/** Reads the server's clock, in milliseconds since 1970. */
const NOW = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * The one reader of companions. A companion counts only while its expiry is the lock's own: any
 * other was left by a lock that has ended since, by a daprd, by another version of Holdfast, or by
 * hand. So a daprd's later lock of the same owner name is not taken for the attempt's, unless it ends
 * in the same millisecond. Before Redis 7, and where PEXPIRETIME may not be run, a key tells only how
 * much of its lease is left, up to 2 ms apart.
 */
const GRANT = `
local function attempt_of_grant(key, companion)
  local note = redis.call('get', companion)
  local attempt, expiry = string.match(note or '', '^(%x+):(%d+)$')
  if not attempt then return nil end
  expiry = tonumber(expiry)
  local told = redis.REDIS_VERSION_NUM and redis.pcall('pexpiretime', key)
  local same
  if type(told) == 'number' then
    same = told == expiry
  else
    -- Less than 0 stands for no expiry.
    local left = redis.call('pttl', key)
    same = left >= 0 and math.abs(now + left - expiry) <= 2
  end
  return same and attempt or nil
end
local function is_grant_of_attempt(key, companion, owner, attempt)
  return redis.call('get', key) == owner and attempt_of_grant(key, companion) == attempt
end`;

/** Takes a lock. A refused first send runs TIME and one SET. */
export const acquireScript = defineScript(`
-- Takes a lock for one attempt of an owner.
-- KEYS[1]  the lock's key
-- KEYS[2]  its companion, which says which attempt took the lock and until when
-- KEYS[3]  the marker of the attempt
-- ARGV[1]  the owner
-- ARGV[2]  the attempt's id
-- ARGV[3]  the lease in milliseconds
-- ARGV[4]  notAfter: the last millisecond, on the server's clock, at which this send may take effect
-- ARGV[5]  the number of this send among those of its attempt, from 0
-- ARGV[6]  until when a marker has to stand: as long as the attempt may be sent again
-- Returns  ${REPLY.acquired} where the attempt holds the lock, ${REPLY.refused} where it holds nothing,
--          ${REPLY.stale} where notAfter has passed, ${REPLY.superseded} where a later send or a withdrawal came first
${NOW}
if now > tonumber(ARGV[4]) then return ${REPLY.stale} end
local key, companion, marker = KEYS[1], KEYS[2], KEYS[3]
local owner, attempt, number = ARGV[1], ARGV[2], tonumber(ARGV[5])
local expiry = string.format('%.0f', now + tonumber(ARGV[3]))
local unit, span = 'pxat', expiry
if not redis.REDIS_VERSION_NUM then unit, span = 'px', ARGV[3] end
local note = attempt .. ':' .. expiry

if number == 0 then
  if not redis.call('set', key, owner, 'nx', unit, span) then return ${REPLY.refused} end
  -- Looked at last, as it hardly ever stands: this way a refused send need not look at all.
  -- By pcall: an error here would come after the SET. Who may not read has left no marker either.
  if type(redis.pcall('get', marker)) == 'string' then
    redis.call('del', key)
    return ${REPLY.superseded}
  end
  redis.call('set', companion, note, unit, span)
  return ${REPLY.acquired}
end
${GRANT}
local seen = redis.call('get', marker)
if seen and tonumber(seen) > number then return ${REPLY.superseded} end
local granted_before = is_grant_of_attempt(key, companion, owner, attempt)
redis.call('set', marker, ARGV[5], 'px', string.format('%.0f', tonumber(ARGV[6]) - now + 10))
if not granted_before and not redis.call('set', key, owner, 'nx', unit, span) then
  return ${REPLY.refused}
end
if granted_before then redis.call('set', key, owner, unit, span) end
redis.call('set', companion, note, unit, span)
return ${REPLY.acquired}
`);

/** Releases a lock. One script: between a GET and a DEL the lease could end and another take the lock. */
export const releaseScript = defineScript(`
-- Releases a lock that this owner holds.
-- KEYS[1]  the lock's key
-- KEYS[2]  its companion
-- KEYS[3]  the marker of the attempt: the number of its last send, with an r where it has released
-- ARGV[1]  the owner that asks; compared byte for byte
-- ARGV[2]  notAfter: the last millisecond, on the server's clock, at which this send may take effect
-- ARGV[3]  the number of this send among those of its attempt, from 0
-- ARGV[4]  until when a marker has to stand: as long as the attempt may be sent again
-- Returns  ${REPLY.unlocked} where this attempt released the lock, now or by an earlier send,
--          ${REPLY.notFound} where nobody holds it, ${REPLY.heldByOther} where another owner does,
--          ${REPLY.stale} where notAfter has passed, ${REPLY.superseded} where a later send or a withdrawal came first
${NOW}
if now > tonumber(ARGV[2]) then return ${REPLY.stale} end
local number, released = tonumber(ARGV[3]), false
local seen = redis.call('get', KEYS[3])
if seen then
  if tonumber(string.match(seen, '^%d+')) > number then return ${REPLY.superseded} end
  released = string.sub(seen, -1) == 'r'
end
local holder = not released and redis.call('get', KEYS[1])
if holder == ARGV[1] then
  redis.call('del', KEYS[1], KEYS[2])
  released = true
end
if released or number > 0 then
  local value = released and ARGV[3] .. 'r' or ARGV[3]
  redis.call('set', KEYS[3], value, 'px', string.format('%.0f', tonumber(ARGV[4]) - now + 10))
end
if released then return ${REPLY.unlocked} end
if holder then return ${REPLY.heldByOther} end
return ${REPLY.notFound}
`);

/** Withdraws an attempt. May run at any time and any number of times: it undoes nothing but its own. */
export const withdrawScript = defineScript(`
-- Undoes one attempt, and keeps its sends that are still on their way from taking effect.
-- KEYS[1]  the lock's key
-- KEYS[2]  its companion
-- KEYS[3]  the marker of the attempt
-- ARGV[1]  the owner
-- ARGV[2]  the attempt's id
-- ARGV[3]  the latest notAfter of the attempt, until which its marker has to stand
-- Returns  ${REPLY.withdrawn} where the attempt held the lock, ${REPLY.nothingToWithdraw} where it did not
${NOW}
${GRANT}
local granted = is_grant_of_attempt(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
local left = tonumber(ARGV[3]) - now
if left >= 0 then
  redis.call('set', KEYS[3], '${WITHDRAWN_NUMBER}', 'px', string.format('%.0f', left + 10))
end
if not granted then return ${REPLY.nothingToWithdraw} end
redis.call('del', KEYS[1], KEYS[2])
return ${REPLY.withdrawn}
`);

/** Releases a lock for a user who may do no more than daprd needs: without clock or markers. */
export const plainReleaseScript = defineScript(`
-- Releases a lock that this owner holds; see releaseScript for the one that can be repeated.
-- KEYS[1]  the lock's key
-- ARGV[1]  the owner that asks; compared byte for byte
-- Returns  ${REPLY.unlocked}, or ${REPLY.notFound} where nobody holds it, ${REPLY.heldByOther} where another owner does
local holder = redis.call('get', KEYS[1])
if not holder then return ${REPLY.notFound} end
if holder ~= ARGV[1] then return ${REPLY.heldByOther} end
redis.call('del', KEYS[1])
return ${REPLY.unlocked}
`);

function defineScript(source: string): RedisScript {
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}
