import { defineScript, type RedisScript, REPLY, WITHDRAWN_NUMBER } from './redis-script';
import { grant, liveHead, lookOut, NOW, wake } from './script-pieces';
import { type SideKeySpelling } from './side-keys';

/**
 * Wakes the head of the queue KEYS[4] after a DEL. Errors are ignored, because the lock is already
 * released.
 */
const wakeHead = (spelling: SideKeySpelling): string => `
  ${liveHead(spelling)}
  ${wake(spelling)}
  pcall(function() wake((live_head(KEYS[4]))) end)`;

/**
 * Releases a lock: for Unlock, for the release of one grant, and for a forced release. It is a
 * single script, because between a GET and a DEL the lease could expire and another owner could
 * take the lock. Its first write is the DEL, and everything after it uses pcall: with a narrow ACL,
 * a release that took place must not be answered with an error.
 */
export const toReleaseScript = (spelling: SideKeySpelling): RedisScript =>
  defineScript(`
-- Releases a lock.
-- KEYS[1]  the lock's key
-- KEYS[2]  its companion
-- KEYS[3]  the marker of the attempt: the number of its last send, followed by r if it has released the lock
-- KEYS[4]  the lock's queue
-- ARGV[1]  the required owner, compared byte for byte; empty for any
-- ARGV[2]  notAfter: the last millisecond, on the server's clock, at which this send may take effect
-- ARGV[3]  the number of this send among those of its attempt, from 0
-- ARGV[4]  when a marker expires: after the attempt may be sent for the last time
-- ARGV[5]  the required token of the grant, 0 for none; empty for any
-- ARGV[6]  the required end of the lease, in milliseconds on the server's clock, 0 for never; empty for any
-- Returns  ${REPLY.unlocked} if this attempt released the lock, now or by an earlier send,
--          ${REPLY.notFound} if nobody holds it, ${REPLY.heldByOther} if another grant holds it,
--          ${REPLY.stale} if notAfter has passed, ${REPLY.superseded} if a later send or a withdrawal came first
${NOW}
if now > tonumber(ARGV[2]) then return ${REPLY.stale} end
local number, released = tonumber(ARGV[3]), false
-- Both rarely exist, so one EXISTS checks both.
local stand = redis.pcall('exists', KEYS[3], KEYS[4])
local seen = stand ~= 0 and redis.call('get', KEYS[3])
if seen then
  if tonumber(string.match(seen, '^%d+')) > number then return ${REPLY.superseded} end
  released = string.sub(seen, -1) == 'r'
end
local holder = not released and redis.call('get', KEYS[1])
local named = holder and (ARGV[1] == '' or holder == ARGV[1])
if named and (ARGV[5] ~= '' or ARGV[6] ~= '') then
  ${grant(spelling)}
  local ends, apart = end_of(KEYS[1])
  local _, token = grant_of(KEYS[2], ends, apart)
  local due = ARGV[6] == '0' and -1 or tonumber(ARGV[6])
  named = (ARGV[5] == '' or tonumber(ARGV[5]) == token) and (not due or math.abs(ends - due) <= apart)
end
local freed = named and not released
if freed then
  redis.call('del', KEYS[1], KEYS[2])
  released = true
end
if released or number > 0 then
  local value = released and ARGV[3] .. 'r' or ARGV[3]
  local run = freed and redis.pcall or redis.call
  if redis.REDIS_VERSION_NUM then run('set', KEYS[3], value, 'pxat', ARGV[4])
  else run('set', KEYS[3], value, 'px', string.format('%.0f', tonumber(ARGV[4]) - now)) end
end
if freed and stand ~= 0 then ${wakeHead(spelling)} end
if released then return ${REPLY.unlocked} end
if holder then return ${REPLY.heldByOther} end
return ${REPLY.notFound}
`);

/**
 * Withdraws an attempt. May run at any time and any number of times, because it undoes only this
 * attempt.
 */
export const toWithdrawScript = (spelling: SideKeySpelling): RedisScript =>
  defineScript(`
-- Undoes one attempt, and prevents sends of it that are still on their way from taking effect.
-- KEYS[1]  the lock's key
-- KEYS[2]  its companion
-- KEYS[3]  the marker of the attempt
-- KEYS[4]  the lock's queue
-- ARGV[1]  the owner
-- ARGV[2]  the attempt's id
-- ARGV[3]  the latest notAfter of the attempt; its marker is kept until then
-- ARGV[4]  the attempt's ticket; empty if it had none
-- Returns  ${REPLY.withdrawn} if the attempt held the lock, ${REPLY.nothingToWithdraw} if it did not
${NOW}
${grant(spelling)}
local held = redis.call('get', KEYS[1]) == ARGV[1] and (grant_of(KEYS[2], end_of(KEYS[1]))) == ARGV[2]
local run = redis.call
if held then
  redis.call('del', KEYS[1], KEYS[2])
  run = redis.pcall
end
local left = tonumber(ARGV[3]) - now
if left >= 0 then
  run('set', KEYS[3], '${WITHDRAWN_NUMBER}', 'px', string.format('%.0f', left + 10))
  ${lookOut(spelling)}
  pcall(look_out, now + left + 10)
end
local led = false
if ARGV[4] ~= '' then
  local first = run('zrange', KEYS[4], 0, 0)
  led = first[1] == ARGV[4]
  run('zrem', KEYS[4], ARGV[4])
end
if held or led then ${wakeHead(spelling)} end
return held and ${REPLY.withdrawn} or ${REPLY.nothingToWithdraw}
`);

/**
 * Releases a lock for a user with only the permissions that daprd needs: without clock and markers.
 */
export const plainReleaseScript = defineScript(`
-- Releases a lock that this owner holds. It can't be repeated safely, unlike releaseScript.
-- KEYS[1]  the lock's key
-- ARGV[1]  the owner of the call, compared byte for byte
-- Returns  ${REPLY.unlocked}, or ${REPLY.notFound} if nobody holds it, ${REPLY.heldByOther} if another owner holds it
local holder = redis.call('get', KEYS[1])
if not holder then return ${REPLY.notFound} end
if holder ~= ARGV[1] then return ${REPLY.heldByOther} end
redis.call('del', KEYS[1])
return ${REPLY.unlocked}
`);
