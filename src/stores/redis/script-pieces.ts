import { CHANNEL_PREFIX, PRESENCE_PREFIX, TOKEN_KEY } from './side-keys';

/*
 * Pieces of Lua that several scripts are made of. Redis keeps a script compiled, but makes each local function
 * anew in every run: a script takes in a piece only below the returns that most of its runs take.
 */

/**
 * Reads the server's clock, in milliseconds since 1970, and makes text of numbers: Lua's own form loses digits.
 * Tokens and places are answered as text, too: node-redis reads integers near 2^53 one off.
 */
export const NOW = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(number) return string.format('%.0f', number) end`;

/**
 * Sets a key until a moment. By SET, which whoever takes locks may run. Before Redis 7, whose version a script
 * can't ask for, there may be no PXAT.
 */
export const SET_UNTIL = `
local function set_until(name, value, ends, ...)
  if redis.REDIS_VERSION_NUM then return redis.call('set', name, value, 'pxat', whole(ends), ...) end
  return redis.call('set', name, value, 'px', whole(ends - now), ...)
end`;

/**
 * The one reader of companions: `attempt:expiry:token`, without the token where a version before tokens wrote
 * it. A companion counts only while its expiry is the lock's own: any other was left by a lock that has ended
 * since, by a daprd, by another version of Holdfast, or by hand. So a daprd's later lock of the same owner name
 * is not taken for the attempt's, unless it ends in the same millisecond. Before Redis 7, and where PEXPIRETIME
 * may not be run, a key tells only how much of its lease is left, up to 2 ms apart.
 *
 * `end_of` gives when a lock ends, -1 where it doesn't, -2 where there is none, and how far that may be off.
 * `grant_of` gives attempt and token (0 for none) of the grant that holds a lock, nothing where no companion counts.
 */
export const GRANT = `
local function end_of(key)
  local told = redis.REDIS_VERSION_NUM and redis.pcall('pexpiretime', key)
  if type(told) == 'number' then return told, 0 end
  local left = redis.call('pttl', key)
  if left < 0 then return left, 0 end
  return now + left, 2
end
local function grant_of(companion, ends, apart)
  local note = redis.call('get', companion)
  local attempt, expiry, token = string.match(note or '', '^(%x+):(%d+):?(%d*)$')
  if not attempt or ends < 0 or math.abs(ends - tonumber(expiry)) > apart then return nil, 0 end
  return attempt, tonumber(token) or 0
end`;

/**
 * Draws the fencing token of a grant: the server's time in microseconds, or one more than the last where that
 * is not less, as the clock was set back. After the last key was lost the time alone goes on. A user
 * whose ACL does not reach the key gets the time, which rises too, as no two grants share a microsecond.
 * Nothing where 2^53 is reached: then neither Lua nor JSON tells one number from the next.
 */
export const DRAW_TOKEN = `
local function draw_token()
  local token = time[1] * 1000000 + time[2]
  -- One command where the server has SET with GET (Redis 6.2); every one by pcall, as the lock is taken by now.
  local last = redis.pcall('set', '${TOKEN_KEY}', whole(token), 'get')
  if type(last) == 'table' then
    last = redis.pcall('get', '${TOKEN_KEY}')
    redis.pcall('set', '${TOKEN_KEY}', whole(token))
  end
  last = type(last) == 'string' and string.match(last, '^%d+$') and tonumber(last) or 0
  if last < token then return token end
  token = math.min(last + 1, 2 ^ 53)
  redis.pcall('set', '${TOKEN_KEY}', whole(token))
  return token < 2 ^ 53 and token or nil
end`;

/**
 * Finds the first live ticket of a queue, and drops the dead ones before it, at most 100. A ticket is
 * `sidecar:attempt:deadline`; it lives while its sidecar is present and the deadline has not passed.
 * Gives the ticket, or nothing, and true where more than 100 dead ones lead.
 */
export const LIVE_HEAD = `
local function live_head(queue)
  for _ = 1, 100 do
    local ticket = redis.call('zrange', queue, 0, 0)[1]
    if not ticket then return nil, false end
    local sidecar, deadline = string.match(ticket, '^(%x+):%x+:(%d+)$')
    local alive = sidecar and now <= tonumber(deadline)
    if alive and redis.call('exists', '${PRESENCE_PREFIX}' .. sidecar .. '||') == 1 then return ticket, false end
    redis.call('zrem', queue, ticket)
  end
  return nil, true
end`;

/**
 * Tells a ticket to ask. To be run by pcall, as whoever runs it has freed a lock, which stands whether somebody can
 * be woken or not.
 */
export const WAKE = `
local function wake(ticket)
  if not ticket then return end
  local sidecar, attempt = string.match(ticket, '^(%x+):(%x+):')
  redis.call('publish', '${CHANNEL_PREFIX}' .. sidecar .. '||', attempt)
end`;
