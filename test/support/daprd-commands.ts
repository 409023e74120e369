/**
 * The script that daprd sends to release a lock (dapr/components-contrib lock/redis/standalone.go), in our
 * words: -1 where nobody holds it, -2 where another does, 1 where it was released.
 */
export const DAPRD_RELEASE = `
local holder = redis.call('get', KEYS[1])
if not holder then return -1 end
if holder ~= ARGV[1] then return -2 end
return redis.call('del', KEYS[1])`;
