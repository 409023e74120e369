import { defineScript, type RedisScript, REPLY } from './redis-script';
import {
  drawToken,
  expiryOption,
  grant,
  KEEP_LATER_END,
  liveHead,
  lookOut,
  NOW,
  wake,
  WHOLE,
} from './script-pieces';
import { QUEUE_SUFFIX, type SideKeySpelling } from './side-keys';

/**
 * Takes a lock. A refused first send runs TIME and one SET.
 *
 * Reasons against a grant other than the lock itself (a marker or a waiter) are checked after the
 * SET, which is undone if there is one. No other client can see a script halfway. If they were
 * checked first, every refused attempt would pay for the check. A grant pays for it only while there
 * may be one: see {@link lookOut}.
 */
export const toAcquireScript = (spelling: SideKeySpelling): RedisScript =>
  defineScript(`
-- Takes a lock for one attempt of an owner.
-- KEYS[1]  the lock's key
-- KEYS[2]  its companion: which attempt took the lock, until when, and with which token
-- KEYS[3]  the marker of the attempt
-- ARGV[1]  the owner
-- ARGV[2]  the attempt's id
-- ARGV[3]  the lease in milliseconds
-- ARGV[4]  notAfter: the last millisecond, on the server's clock, at which this send may take effect
-- ARGV[5]  the number of this send among those of its attempt, from 0
-- ARGV[6]  until when to keep a marker: as long as the attempt may be sent again
-- Returns  the token, as text, if the attempt holds the lock,
--          ${REPLY.refused} if it holds nothing: the lock is held, or a live ticket leads its queue,
--          ${REPLY.stale} if notAfter has passed, ${REPLY.superseded} if a later send or a withdrawal came first,
--          ${REPLY.exhausted} if no token is left
${NOW}
if now > tonumber(ARGV[4]) then return ${REPLY.stale} end
local key, owner, number = KEYS[1], ARGV[1], ARGV[5] == '0' and 0 or tonumber(ARGV[5])
local ends = now + ARGV[3]
${expiryOption('ARGV[3]')}
if number == 0 and not redis.call('set', key, owner, 'nx', unit, span) then return ${REPLY.refused} end
local companion, marker, attempt = KEYS[2], KEYS[3], ARGV[2]
local token
if number > 0 then
  ${WHOLE}
  ${grant(spelling)}
  ${lookOut(spelling)}
  local seen = redis.call('get', marker)
  if seen and tonumber(seen) > number then return ${REPLY.superseded} end
  local ends_before, apart = end_of(key)
  local granted, its_token = grant_of(companion, ends_before, apart)
  local granted_before = granted == attempt and redis.call('get', key) == owner
  redis.call('set', marker, ARGV[5], 'px', whole(tonumber(ARGV[6]) - now + 10))
  pcall(look_out, tonumber(ARGV[6]) + 10)
  if granted_before then
    ${KEEP_LATER_END}
    token = its_token > 0 and whole(its_token)
    redis.call('set', key, owner, unit, span)
  elseif not redis.call('set', key, owner, 'nx', unit, span) then
    return ${REPLY.refused}
  end
end

if not token then
  ${drawToken(spelling)}
  if not token then
    redis.call('del', key)
    return ${REPLY.exhausted}
  end
  -- With pcall, because an error here would follow the SET. A user who may not read has left no marker either.
  -- The queue is not among KEYS: nearly no acquire needs its name.
  local queue = (looks or number > 0) and ${spelling.luaTag}key .. '${QUEUE_SUFFIX}'
  local stand = queue and redis.pcall('exists', marker, queue) or 0
  if stand ~= 0 then
    if number == 0 and type(redis.pcall('get', marker)) == 'string' then
      redis.call('del', key)
      return ${REPLY.superseded}
    end
    if type(stand) ~= 'number' then stand = redis.pcall('pttl', queue) end
    ${liveHead(spelling)}
    ${wake(spelling)}
    -- A user who may not read tickets still learns that there are some. The first ticket is woken, because its
    -- owner may not know that the lock is free.
    local looked, head, more = pcall(live_head, queue)
    if type(stand) == 'number' and stand ~= -2 and (not looked or head or more) then
      redis.call('del', key)
      pcall(wake, looked and head)
      return ${REPLY.refused}
    end
  end
end
redis.call('set', companion, attempt .. ':' .. expiry .. ':' .. token, unit, span)
return token
`);

/** Extends a lease. A repetition has no further effect, so it needs no marker. */
export const toRenewScript = (spelling: SideKeySpelling): RedisScript =>
  defineScript(`
-- Moves the end of a lease to now + ttl, if that is later.
-- KEYS[1]  the lock's key
-- KEYS[2]  its companion
-- ARGV[1]  the owner of the call, compared byte for byte
-- ARGV[2]  the lease in milliseconds from now
-- ARGV[3]  notAfter: the last millisecond, on the server's clock, at which this send may take effect
-- ARGV[4]  the token of the grant; empty for any grant of the owner
-- Returns  {${REPLY.renewed}, token or 0, milliseconds left, or -1 if the lock doesn't expire},
--          ${REPLY.notFound} if nobody holds the lock, ${REPLY.heldByOther} if another grant holds it,
--          ${REPLY.stale} if notAfter has passed
${NOW}
if now > tonumber(ARGV[3]) then return ${REPLY.stale} end
local key, companion, owner = KEYS[1], KEYS[2], ARGV[1]
local holder = redis.call('get', key)
if not holder then return ${REPLY.notFound} end
if holder ~= owner then return ${REPLY.heldByOther} end
${WHOLE}
${grant(spelling)}
local ends, apart = end_of(key)
local attempt, token = grant_of(companion, ends, apart)
if ARGV[4] ~= '' and tonumber(ARGV[4]) ~= token then return ${REPLY.heldByOther} end
if ends == -1 then return {${REPLY.renewed}, whole(token), -1} end
local later = now + tonumber(ARGV[2])
if later > ends then
  ends = later
  ${expiryOption('ARGV[2]')}
  redis.call('set', key, owner, unit, span)
  if attempt then
    -- The companion keeps its format, because the version that wrote it may still read it.
    local note = attempt .. ':' .. expiry
    if token > 0 then note = note .. ':' .. whole(token) end
    redis.call('set', companion, note, unit, span)
  else
    -- Otherwise it would count again if the lock's new end happened to be its expiry.
    redis.call('del', companion)
  end
end
return {${REPLY.renewed}, whole(token), ends - now}
`);
