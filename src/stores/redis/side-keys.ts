/**
 * The names of the keys that Holdfast stores beside a lock. They end in a character other than `|`,
 * followed by exactly `||`. No lock key does: a resource is never empty and contains no `||`, so a
 * lock key ends in `||` only if its resource is `|`, and then it ends in `|||`. Component names and
 * app ids may contain anything (daprd doesn't check them either); the rule does not depend on them.
 *
 * Side keys differ from each other in the part before the last `||`, because no attempt id equals
 * one of the other words.
 */
const END = '||';

/** The suffix that the companion of a lock adds to the lock's key. */
export const COMPANION_SUFFIX = `||attempt${END}`;

/** The suffix that the queue of a lock adds to the lock's key. */
export const QUEUE_SUFFIX = `||queue${END}`;

/** The prefix of a sidecar's presence key. The sidecar's id and {@link END} follow. */
export const PRESENCE_PREFIX = 'lock||present||';

/** The prefix of a sidecar's channel for wake-ups. The sidecar's id and {@link END} follow. */
export const CHANNEL_PREFIX = 'lock||wake||';

/**
 * The last fencing token of a database. All locks share it, so that there is no key for each lock
 * that was ever taken.
 */
export const TOKEN_KEY = `lock||token${END}`;

/** How side keys are spelled, in TypeScript and in scripts. */
export interface SideKeySpelling {
  /** The beginning of all side keys of a lock. Empty, unless keys are spread over servers. */
  tagOf(lockKey: string): string;
  /** Lua that puts the tag before the name that follows. Scripts get the tag as their last argument. */
  readonly luaTag: string;
  /** The name of the command that publishes a wake-up, as a Lua expression. */
  readonly luaPublish: string;
}

/** The spelling where all keys are on one server. */
export const PLAIN_SPELLING: SideKeySpelling = {
  tagOf: () => '',
  luaTag: '',
  luaPublish: "'publish'",
};

/** The companion of a lock: which attempt holds it, and until when. */
export function toCompanionKey(lockKey: string, tag = ''): string {
  return tag + lockKey + COMPANION_SUFFIX;
}

/** The marker of an attempt on a lock: the number of its latest send that Redis has seen. */
export function toMarkerKey(lockKey: string, attemptId: string, tag = ''): string {
  return `${tag}${lockKey}||done||${attemptId}${END}`;
}

/** The queue of a lock: the tickets of its waiters in order of arrival. */
export function toQueueKey(lockKey: string, tag = ''): string {
  return tag + lockKey + QUEUE_SUFFIX;
}

/** The presence of a sidecar. Its tickets are alive while this key exists. */
export function toPresenceKey(sidecarId: string, tag = ''): string {
  return tag + PRESENCE_PREFIX + sidecarId + END;
}

/**
 * The channel that wakes a sidecar's waiters. It is not a key, but its name has the same form so
 * that one ACL pattern covers both.
 */
export function toChannel(sidecarId: string, tag = ''): string {
  return tag + CHANNEL_PREFIX + sidecarId + END;
}

/** The arguments of a script, with the tag if there is one. */
export function withTag(args: string[], tag: string): string[] {
  if (tag !== '') args.push(tag);
  return args;
}

/** True for a key that belongs to a lock, false for the lock's own key. */
export function isSideKey(key: string): boolean {
  return /[^|]\|\|$/.test(key);
}
