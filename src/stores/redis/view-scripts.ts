import { defineScript, type RedisScript } from './redis-script';
import { grant, NOW, WHOLE } from './script-pieces';
import { COMPANION_SUFFIX, QUEUE_SUFFIX, type SideKeySpelling } from './side-keys';

/** Reads locks. It is a single script, so that owner, token and end belong to the same lease. */
export const toViewScript = (spelling: SideKeySpelling): RedisScript =>
  defineScript(`
-- Reads the holders of locks.
-- KEYS     the locks' keys
-- Returns  for each lock {owner, token or 0, milliseconds left, end of the lease, waiters}. Both times are -1 if
--          the lock doesn't expire. An empty list if the lock is free, or if its key holds something else
${NOW}
${WHOLE}
${grant(spelling)}
local reply = {}
for index, key in ipairs(KEYS) do
  local view = {}
  local owner = redis.pcall('get', key)
  if type(owner) == 'string' then
    local ends, apart = end_of(key)
    local _, token = grant_of(${spelling.luaTag}key .. '${COMPANION_SUFFIX}', ends, apart)
    local waiters = redis.pcall('zcard', ${spelling.luaTag}key .. '${QUEUE_SUFFIX}')
    if type(waiters) ~= 'number' then waiters = 0 end
    view = {owner, whole(token), ends < 0 and -1 or ends - now, ends, waiters}
  end
  reply[index] = view
end
return reply
`);
