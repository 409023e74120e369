import { CHANNEL_PREFIX, PRESENCE_PREFIX, type SideKeySpelling, TOKEN_KEY } from './side-keys';

/*
 * Pieces of Lua that several scripts share. Redis keeps a script compiled, but creates each local
 * function anew in every run. A script therefore includes a piece only below the returns that most
 * of its runs take. Pieces that name side keys are functions of how these are spelled.
 */

/** Reads the server's clock in milliseconds since 1970. */
export const NOW = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * Converts numbers to text without losing digits, as Lua's own conversion does. Tokens and places
 * are also returned as text, because node-redis reads integers near 2^53 one off.
 */
export const WHOLE = `
local function whole(number) return string.format('%.0f', number) end`;

/**
 * Defines the option of SET by which a lock and its companion expire at `ends`: its name `unit` and
 * its value `span`, and `expiry`, which is `ends` as text. Scripts use SET, because every user who
 * takes locks may run that. Before Redis 7 there may be no PXAT, and a script can't ask an older
 * server for its version. These are no functions, because every grant would create them anew.
 *
 * @param lease the argument that holds the lease in milliseconds: `ends` is `now` plus that
 */
export function expiryOption(lease: string): string {
  return `
local expiry = string.format('%.0f', ends)
local unit, span = 'pxat', expiry
if not redis.REDIS_VERSION_NUM then unit, span = 'px', ${lease} end`;
}

/** Moves the end of {@link expiryOption} to that of the lock, where the lock has been renewed since. */
export const KEEP_LATER_END = `
    ends = math.max(ends, ends_before)
    expiry = whole(ends)
    span = unit == 'px' and whole(ends - now) or expiry`;

/**
 * The only reader of companions. A companion is `attempt:expiry:token`, without the token if a
 * version before tokens wrote it. It counts only if its expiry is that of the lock. Any other
 * companion belongs to a lock that has ended since, and was left by a daprd, by another version of
 * Holdfast, or by hand. So a later lock that a daprd took with the same owner name is not taken for
 * the attempt's, unless it ends in the same millisecond. Before Redis 7, and if PEXPIRETIME may not
 * be run, only the remaining time of a lease is known, with an error of up to 2 ms.
 *
 * `end_of` returns when a lock ends (-1 if it never does, -2 if there is no lock), and the possible
 * error of that. `grant_of` returns the attempt and the token (0 for none) of the grant that holds
 * a lock, and no attempt if no companion counts.
 */
export const grant = ({ luaTag }: SideKeySpelling): string =>
  `${END_OF}${luaTag === '' ? GRANT_BY_NOTE : GRANT_BY_EXPIRY}`;

const END_OF = `
local function end_of(key)
  local told = redis.REDIS_VERSION_NUM and redis.pcall('pexpiretime', key)
  if type(told) == 'number' then return told, 0 end
  local left = redis.call('pttl', key)
  if left < 0 then return left, 0 end
  return now + left, 2
end`;

const GRANT_BY_NOTE = `
local function grant_of(companion, ends, apart)
  local note = redis.call('get', companion)
  local attempt, expiry, token = string.match(note or '', '^(%x+):(%d+):?(%d*)$')
  if not attempt or ends < 0 or math.abs(ends - tonumber(expiry)) > apart then return nil, 0 end
  return attempt, tonumber(token) or 0
end`;

/**
 * How far apart a lock and its companion may expire if their slot may have been moved, in
 * milliseconds. MIGRATE moves keys one after the other with the time that each has left, so that
 * their ends change: by the clocks' difference, and by the time on the way.
 */
const APART_MS = 5000;

/**
 * Where keys may move, the companion's own expiry is compared, because the one in its value is that
 * on the clock of the server that wrote it.
 */
const GRANT_BY_EXPIRY = `
local function grant_of(companion, ends)
  local note = redis.call('get', companion)
  local attempt, token = string.match(note or '', '^(%x+):%d+:?(%d*)$')
  if not attempt or ends < 0 or math.abs(ends - end_of(companion)) > ${APART_MS} then return nil, 0 end
  return attempt, tonumber(token) or 0
end`;

/**
 * How long grants look after the key of the last token was lost, in milliseconds. A queue without a
 * refresh lives for 3 s. The marker of an acquire lives as long as that call with the default
 * timeouts.
 */
const LOST_LOOK_MS = 10_000;

/**
 * Draws the fencing token of a grant into `token`, as text: the server's time in microseconds, or
 * the last token plus one if that is greater because the clock was set back. If the key of the last
 * token was lost, the time alone determines the token. The same applies to a user whose ACL does
 * not allow the key: tokens still rise, because no two grants share a microsecond. Leaves `token`
 * without a value at 2^53, from where on neither Lua nor JSON can distinguish neighbouring numbers.
 *
 * `looks` tells whether the grant has to look for markers and queues: see {@link lookOut}. It does
 * so as well if the key of the last token can't be written, or was missing or unreadable within the
 * last {@link LOST_LOOK_MS}.
 */
export const drawToken = ({ luaTag }: SideKeySpelling): string => `
  token = string.format('%s%06d', time[1], time[2])
  -- One command if the server has SET with GET (Redis 6.2). All use pcall, because the lock is already taken.
  local last = redis.pcall('set', ${luaTag}'${TOKEN_KEY}', token, 'get')
  -- An error is a table, which has no such length.
  local looks = not last or #last ~= #token or last >= token
  if looks then
    if type(last) == 'table' then last = redis.pcall('get', ${luaTag}'${TOKEN_KEY}') end
    local text = type(last) == 'string' and last or ''
    local till, before = string.match(text, '^look:(%d+):(%d+)$')
    before = tonumber(before or string.match(text, '^%d+$'))
    if not before then till = string.format('%.0f', now + ${LOST_LOOK_MS}) end
    looks = till and now <= tonumber(till)
    if before and before >= tonumber(token) then
      token = string.format('%.0f', math.min(before + 1, 2 ^ 53))
    end
    local noted = redis.pcall('set', ${luaTag}'${TOKEN_KEY}', looks and 'look:' .. till .. ':' .. token or token)
    looks = looks or noted.err
    if tonumber(token) == 2 ^ 53 then token = nil end
  end`;

/**
 * Makes every grant look for markers and queues until a given time. Otherwise a grant runs no
 * command for them: nearly always there are none, and the key of the last token is written anyway.
 * That key then contains `look:until:token`. A script that leaves the marker of an acquire, or that
 * keeps a queue alive, calls this for as long as that lives. (An ask always reads its own marker.) It needs the key, so a user whose ACL does not allow it
 * can't wait; such a user's own grants always look.
 */
export const lookOut = ({ luaTag }: SideKeySpelling): string => `
local function look_out(till)
  local last = redis.pcall('get', ${luaTag}'${TOKEN_KEY}')
  local text = type(last) == 'string' and last or ''
  local before, token = string.match(text, '^look:(%d+):(%d+)$')
  if before and till <= tonumber(before) then return end
  token = token or string.match(text, '^%d+$') or '0'
  -- A second more, so that not every call of many has to write.
  redis.call('set', ${luaTag}'${TOKEN_KEY}', string.format('look:%.0f:%s', till + 1000, token))
end`;

/**
 * Finds the first live ticket of a queue and drops up to 100 dead ones before it. A ticket is
 * `sidecar:attempt:deadline`. It is alive while its sidecar is present and its deadline has not
 * passed. Returns the ticket, or nothing; the second result is true if more than 100 dead tickets
 * lead the queue.
 */
export const liveHead = ({ luaTag }: SideKeySpelling): string => `
local function live_head(queue)
  for _ = 1, 100 do
    local ticket = redis.call('zrange', queue, 0, 0)[1]
    if not ticket then return nil, false end
    local sidecar, deadline = string.match(ticket, '^(%x+):%x+:(%d+)$')
    local alive = sidecar and now <= tonumber(deadline)
    if alive and redis.call('exists', ${luaTag}'${PRESENCE_PREFIX}' .. sidecar .. '||') == 1 then return ticket, false end
    redis.call('zrem', queue, ticket)
  end
  return nil, true
end`;

/**
 * Tells a ticket to ask for its lock. Call it with pcall: the caller has already released a lock,
 * and that counts even if nobody can be woken.
 */
export const wake = ({ luaTag, luaPublish }: SideKeySpelling): string => `
local function wake(ticket)
  if not ticket then return end
  local sidecar, attempt = string.match(ticket, '^(%x+):(%x+):')
  redis.call(${luaPublish}, ${luaTag}'${CHANNEL_PREFIX}' .. sidecar .. '||', attempt)
end`;
