import type { SideKeySpelling } from '../side-keys';
import { slotOf, SLOTS } from './slots';

/**
 * The spelling of side keys in a cluster. They begin with a tag that puts them into the slot of
 * their lock: `{n}`, where n is the smallest whole number of that slot. As the first braces are
 * always ours, it does not matter which ones the lock's key has.
 */
export function createClusterSpelling(): SideKeySpelling {
  const tags = createTags();
  return {
    tagOf: (lockKey) => tags[slotOf(lockKey)] ?? '',
    luaTag: 'ARGV[#ARGV] .. ',
    // Redis 7 has sharded channels. Before that, a cluster carries ordinary messages to all nodes.
    luaPublish: "redis.REDIS_VERSION_NUM and 'spublish' or 'publish'",
  };
}

/** The tag of every slot. Takes about 50 ms. */
function createTags(): readonly string[] {
  const tags = new Array<string | undefined>(SLOTS);
  let missing = SLOTS;
  for (let number = 0; missing > 0; number += 1) {
    const tag = `{${number}}`;
    const slot = slotOf(tag);
    if (tags[slot] !== undefined) continue;
    tags[slot] = tag;
    missing -= 1;
  }
  return tags.map((tag) => tag ?? '');
}
