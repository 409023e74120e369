
-- Releases a lock that this owner holds.
-- KEYS[1]  the lock's key
-- KEYS[2]  its companion
-- KEYS[3]  the marker of the attempt: the number of its last send, with an r where it has released
-- ARGV[1]  the owner that asks; compared byte for byte
-- ARGV[2]  notAfter: the last millisecond, on the server's clock, at which this send may take effect
-- ARGV[3]  the number of this send among those of its attempt, from 0
-- ARGV[4]  until when a marker has to stand: as long as the attempt may be sent again
-- Returns  2 where this attempt released the lock, now or by an earlier send,
--          -1 where nobody holds it, -2 where another owner does,
--          -3 where notAfter has passed, -4 where a later send or a withdrawal came first

local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(ARGV[2]) then return -3 end
local number, released = tonumber(ARGV[3]), false
local seen = redis.call('get', KEYS[3])
if seen then
  if tonumber(string.match(seen, '^%d+')) > number then return -4 end
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
if released then return 2 end
if holder then return -2 end
return -1
