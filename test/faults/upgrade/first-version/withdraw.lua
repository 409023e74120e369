
-- Undoes one attempt, and keeps its sends that are still on their way from taking effect.
-- KEYS[1]  the lock's key
-- KEYS[2]  its companion
-- KEYS[3]  the marker of the attempt
-- ARGV[1]  the owner
-- ARGV[2]  the attempt's id
-- ARGV[3]  the latest notAfter of the attempt, until which its marker has to stand
-- Returns  3 where the attempt held the lock, 4 where it did not

local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function is_grant_of_attempt(key, companion, owner, attempt)
  if redis.call('get', key) ~= owner then return false end
  local note = redis.call('get', companion)
  if not note or string.sub(note, 1, #attempt + 1) ~= attempt .. ':' then return false end
  local expiry = tonumber(string.sub(note, #attempt + 2))
  if redis.REDIS_VERSION_NUM then return redis.call('pexpiretime', key) == expiry end
  return math.abs(now + redis.call('pttl', key) - expiry) <= 2
end
local granted = is_grant_of_attempt(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
local left = tonumber(ARGV[3]) - now
if left >= 0 then
  redis.call('set', KEYS[3], '2147483648', 'px', string.format('%.0f', left + 10))
end
if not granted then return 4 end
redis.call('del', KEYS[1], KEYS[2])
return 3
