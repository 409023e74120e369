import { defineScript } from './redis-script';
import { GRANT, NOW } from './script-pieces';
import { COMPANION_SUFFIX, QUEUE_SUFFIX } from './side-keys';

/** Reads locks; one script, so that owner, token and end belong together. */
export const viewScript = defineScript(`
-- Tells who holds locks.
-- KEYS     the locks' keys
-- Returns  for each lock {owner, token or 0, milliseconds that are left, the lease's end, waiters}, with an end of
--          -1 and -1 left where it doesn't end; an empty list where it is free, or where its key holds no lock
${NOW}
${GRANT}
local reply = {}
for index, key in ipairs(KEYS) do
  local view = {}
  local owner = redis.pcall('get', key)
  if type(owner) == 'string' then
    local ends, apart = end_of(key)
    local _, token = grant_of(key .. '${COMPANION_SUFFIX}', ends, apart)
    local waiters = redis.pcall('zcard', key .. '${QUEUE_SUFFIX}')
    if type(waiters) ~= 'number' then waiters = 0 end
    view = {owner, whole(token), ends < 0 and -1 or ends - now, ends, waiters}
  end
  reply[index] = view
end
return reply
`);
