
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
-- Returns  1 where the attempt holds the lock, 0 where it holds nothing,
--          -3 where notAfter has passed, -4 where a later send or a withdrawal came first

local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(ARGV[4]) then return -3 end
local key, companion, marker = KEYS[1], KEYS[2], KEYS[3]
local owner, attempt, number = ARGV[1], ARGV[2], tonumber(ARGV[5])
local expiry = string.format('%.0f', now + tonumber(ARGV[3]))
local unit, span = 'pxat', expiry
if not redis.REDIS_VERSION_NUM then unit, span = 'px', ARGV[3] end
local note = attempt .. ':' .. expiry

if number == 0 then
  if not redis.call('set', key, owner, 'nx', unit, span) then return 0 end
  -- Looked at last, as it hardly ever stands: this way a refused send need not look at all.
  -- By GET, which every user of a lock may run: a NOPERM here would come after the SET.
  if redis.call('get', marker) then
    redis.call('del', key)
    return -4
  end
  redis.call('set', companion, note, unit, span)
  return 1
end

local function is_grant_of_attempt(key, companion, owner, attempt)
  if redis.call('get', key) ~= owner then return false end
  local note = redis.call('get', companion)
  if not note or string.sub(note, 1, #attempt + 1) ~= attempt .. ':' then return false end
  local expiry = tonumber(string.sub(note, #attempt + 2))
  if redis.REDIS_VERSION_NUM then return redis.call('pexpiretime', key) == expiry end
  return math.abs(now + redis.call('pttl', key) - expiry) <= 2
end
local seen = redis.call('get', marker)
if seen and tonumber(seen) > number then return -4 end
local granted_before = is_grant_of_attempt(key, companion, owner, attempt)
redis.call('set', marker, ARGV[5], 'px', string.format('%.0f', tonumber(ARGV[6]) - now + 10))
if not granted_before and not redis.call('set', key, owner, 'nx', unit, span) then
  return 0
end
if granted_before then redis.call('set', key, owner, unit, span) end
redis.call('set', companion, note, unit, span)
return 1
