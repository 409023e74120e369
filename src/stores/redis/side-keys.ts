/**
 * The names of the keys that Holdfast keeps beside a lock. They end in a character other than `|`
 * and then exactly `||`. No lock key does: a resource is never empty and has no `||`, so a lock key
 * ends in `||` only where its resource is `|`, and then in `|||`. Component names and app ids may
 * contain anything (daprd doesn't check them either); the rule needs nothing of them.
 *
 * A companion and a marker differ in the part before the last `||`: `attempt` is no attempt id.
 */
const END = '||';

/** The companion of a lock: which attempt took it, and until when. */
export function toCompanionKey(lockKey: string): string {
  return `${lockKey}||attempt${END}`;
}

/** The marker of an attempt on a lock: which of its sends Redis has seen last. */
export function toMarkerKey(lockKey: string, attemptId: string): string {
  return `${lockKey}||done||${attemptId}${END}`;
}

/** True for a key that stands beside a lock, false for every lock. */
export function isSideKey(key: string): boolean {
  return /[^|]\|\|$/.test(key);
}
