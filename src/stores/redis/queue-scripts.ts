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
 * How long a sidecar counts as present after its last refresh, in milliseconds. Its tickets live as
 * long.
 */
export const TICKET_LIFE_MS = 3000;

/**
 * Asks for a lock: grants it if it is free and no other live ticket leads, and adds a ticket to the
 * queue otherwise.
 *
 * Unlike acquireScript, it reads its marker first: a withdrawn attempt that arrives late must not
 * add a ticket that nobody waits for.
 */
export const toAskScript = (spelling: SideKeySpelling): RedisScript =>
  defineScript(`
-- Takes a lock for one attempt of an owner, or gives the attempt a ticket in the lock's queue.
-- KEYS[1]  the lock's key
-- KEYS[2]  its companion
-- KEYS[3]  the marker of the attempt
-- KEYS[4]  the lock's queue: tickets, with scores in order of arrival
-- KEYS[5]  the presence of the sidecar: the number of its session
-- ARGV[1]  the owner
-- ARGV[2]  the attempt's id
-- ARGV[3]  the lease in milliseconds
-- ARGV[4]  notAfter: the last millisecond, on the server's clock, at which this send may take effect
-- ARGV[5]  the number of this send among those of its attempt, from 0
-- ARGV[6]  until when to keep a marker: as long as this ask may be sent again
-- ARGV[7]  the ticket: sidecar:attempt:deadline
-- ARGV[8]  the session of the sidecar
-- ARGV[9]  the previous place of the ticket; empty if it is not known
-- Returns  {${REPLY.acquired}, token} if the attempt holds the lock,
--          {${REPLY.queued}, place, tickets before it, remaining milliseconds of the lease (PTTL)},
--          ${REPLY.lapsed} if the session has ended, ${REPLY.sweeping} if the head is not known yet: ask again,
--          ${REPLY.stale} if notAfter has passed, ${REPLY.superseded} if a later send or a withdrawal came first,
--          ${REPLY.exhausted} if no token is left
${NOW}
if now > tonumber(ARGV[4]) then return ${REPLY.stale} end
local key, companion, marker, queue = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local owner, attempt, number, ticket = ARGV[1], ARGV[2], tonumber(ARGV[5]), ARGV[7]
local ends = now + tonumber(ARGV[3])
local seen = redis.call('get', marker)
if seen and tonumber(seen) > number then return ${REPLY.superseded} end
${WHOLE}
${expiryOption('ARGV[3]')}
if number > 0 then
  ${grant(spelling)}
  local ends_before, apart = end_of(key)
  local granted, token = grant_of(companion, ends_before, apart)
  if granted == attempt and token > 0 and redis.call('get', key) == owner then
    redis.call('set', marker, ARGV[5], 'px', whole(tonumber(ARGV[6]) - now + 10))
    ${KEEP_LATER_END}
    redis.call('set', key, owner, unit, span)
    redis.call('set', companion, attempt .. ':' .. expiry .. ':' .. whole(token), unit, span)
    return {${REPLY.acquired}, whole(token)}
  end
end
if redis.call('get', KEYS[5]) ~= ARGV[8] then return ${REPLY.lapsed} end
if number > 0 then redis.call('set', marker, ARGV[5], 'px', whole(tonumber(ARGV[6]) - now + 10)) end

${liveHead(spelling)}
${wake(spelling)}
${lookOut(spelling)}
local function enter(at)
  look_out(now + ${TICKET_LIFE_MS})
  redis.call('zadd', queue, at, ticket)
  redis.call('pexpire', queue, ${TICKET_LIFE_MS})
  return at
end
local place = redis.call('zscore', queue, ticket)
if not place and ARGV[9] ~= '' then place = enter(ARGV[9]) end
local head, more = live_head(queue)
if (head == ticket or not head and not more) and redis.call('set', key, owner, 'nx', unit, span) then
  local token
  ${drawToken(spelling)}
  if not token then
    redis.call('del', key)
    return ${REPLY.exhausted}
  end
  if place then redis.call('zrem', queue, ticket) end
  redis.call('set', companion, attempt .. ':' .. expiry .. ':' .. token, unit, span)
  return {${REPLY.acquired}, token}
end
if not place then
  local last = redis.call('zrange', queue, -1, -1, 'withscores')[2]
  place = enter(whole(math.max(time[1] * 1000000 + time[2], (tonumber(last) or 0) + 1)))
end
if more then return ${REPLY.sweeping} end
local ahead = redis.call('zrank', queue, ticket)
-- The ticket was dropped as dead although it asks: the server's clock was set ahead after its deadline was calculated.
if not ahead then return ${REPLY.stale} end
local left = redis.call('pttl', key)
-- The head may not know that the lease has expired.
if left == -2 then pcall(wake, head) end
return {${REPLY.queued}, place, ahead, left}
`);

/**
 * Opens a session of a sidecar, which makes the sidecar present. No other script does: if an ask
 * could revive a session, and its reply was lost, nobody would learn that tickets have been
 * dropped.
 */
export const toOpenScript = (spelling: SideKeySpelling): RedisScript =>
  defineScript(`
-- Makes a sidecar present.
-- KEYS[1]  the presence of the sidecar
-- ARGV[1]  the session, a new one for every run
-- ARGV[2]  notAfter: the last millisecond, on the server's clock, at which this send may take effect
-- ARGV[3]  the channel that wakes its waiters
-- Returns  ${REPLY.opened}, ${REPLY.openedMute} if this user may not publish to the channel,
--          ${REPLY.stale} if notAfter has passed
${NOW}
if now > tonumber(ARGV[2]) then return ${REPLY.stale} end
redis.call('set', KEYS[1], ARGV[1], 'px', ${TICKET_LIFE_MS})
local published = redis.pcall(${spelling.luaPublish}, ARGV[3], '')
return type(published) == 'number' and ${REPLY.opened} or ${REPLY.openedMute}
`);

/**
 * Keeps tickets alive: all tickets of one sidecar by its presence, and the queues that they are in.
 * Creates nothing.
 */
export const toRefreshScript = (spelling: SideKeySpelling): RedisScript =>
  defineScript(`
-- Keeps a sidecar present and its queues alive, and reads which locks are free.
-- KEYS[1]  the presence of the sidecar
-- KEYS[2…] the locks that it has waiters for
-- ARGV[1]  the session of the sidecar
-- ARGV[2]  notAfter: the last millisecond, on the server's clock, at which this send may take effect
-- Returns  {${REPLY.refreshed}, the indexes of the free locks, from 0 …},
--          ${REPLY.lapsed} if the session has ended, ${REPLY.stale} if notAfter has passed
${NOW}
if now > tonumber(ARGV[2]) then return ${REPLY.stale} end
if redis.call('get', KEYS[1]) ~= ARGV[1] then return ${REPLY.lapsed} end
${lookOut(spelling)}
look_out(now + ${TICKET_LIFE_MS})
redis.call('pexpire', KEYS[1], ${TICKET_LIFE_MS})
local reply = {${REPLY.refreshed}}
for index = 2, #KEYS do
  if redis.call('exists', KEYS[index]) == 0 then reply[#reply + 1] = index - 2 end
  redis.call('pexpire', ${spelling.luaTag}KEYS[index] .. '${QUEUE_SUFFIX}', ${TICKET_LIFE_MS})
end
return reply
`);
