/**
 * The names of the keys that Holdfast keeps beside a lock. They end in a character other than `|`
 * and then exactly `||`. No lock key does: a resource is never empty and has no `||`, so a lock key
 * ends in `||` only where its resource is `|`, and then in `|||`. Component names and app ids may
 * contain anything (daprd doesn't check them either); the rule needs nothing of them.
 *
 * They differ among each other in the part before the last `||`: no other word is an attempt's id.
 */
const END = '||';

/** What the name of a lock's companion adds to the lock's own. */
export const COMPANION_SUFFIX = `||attempt${END}`;

/** What the name of a lock's queue adds to the lock's own. */
export const QUEUE_SUFFIX = `||queue${END}`;

/** Where the name of a sidecar's presence begins; its id and {@link END} follow. */
export const PRESENCE_PREFIX = 'lock||present||';

/** Where the name of a sidecar's channel for wake-ups begins; its id and {@link END} follow. */
export const CHANNEL_PREFIX = 'lock||wake||';

/** The last fencing token of a database: one for all locks, so that it needs no key for each that was ever taken. */
export const TOKEN_KEY = `lock||token${END}`;

/** The companion of a lock: which attempt took it, and until when. */
export function toCompanionKey(lockKey: string): string {
  return lockKey + COMPANION_SUFFIX;
}

/** The marker of an attempt on a lock: which of its sends Redis has seen last. */
export function toMarkerKey(lockKey: string, attemptId: string): string {
  return `${lockKey}||done||${attemptId}${END}`;
}

/** The queue of a lock: the tickets of those who wait for it, by the order in which they came. */
export function toQueueKey(lockKey: string): string {
  return lockKey + QUEUE_SUFFIX;
}

/** The presence of a sidecar: its tickets are alive while it stands. */
export function toPresenceKey(sidecarId: string): string {
  return PRESENCE_PREFIX + sidecarId + END;
}

/** The channel by which a sidecar's waiters are woken. No key, but named as keys are, for one ACL pattern. */
export function toChannel(sidecarId: string): string {
  return CHANNEL_PREFIX + sidecarId + END;
}

/** True for a key that stands beside a lock, false for every lock. */
export function isSideKey(key: string): boolean {
  return /[^|]\|\|$/.test(key);
}
