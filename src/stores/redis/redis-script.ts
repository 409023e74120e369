import { createHash } from 'node:crypto';

/** A Lua script and the hash by which Redis knows it. */
export interface RedisScript {
  readonly source: string;
  /** SHA-1 in hex, for EVALSHA. */
  readonly sha1: string;
}

/** Creates a script from its text. */
export function defineScript(source: string): RedisScript {
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}

/**
 * The replies of scripts, alone or as the first element of a list. All numbers are different, so
 * that a reply can't be mistaken for that of another script. A number never changes its meaning,
 * because different versions share a Redis.
 */
export const REPLY = {
  refused: 0,
  acquired: 1,
  unlocked: 2,
  notFound: -1,
  heldByOther: -2,
  withdrawn: 3,
  nothingToWithdraw: 4,
  /** The script ran after its notAfter and changed nothing. */
  stale: -3,
  /** A later send of the same attempt, or its withdrawal, came first. Nothing was changed. */
  superseded: -4,
  renewed: 5,
  /** The ticket is in the queue. */
  queued: 6,
  /** The queue begins with more dead tickets than one script drops. Ask again. */
  sweeping: 7,
  /**
   * The session of the tickets has ended, and tickets may have been dropped. Nothing was changed.
   */
  lapsed: -5,
  /** There is no higher fencing token. Nothing was changed. */
  exhausted: -6,
  opened: 8,
  /** Like `opened`, but the user may not publish, so waiters are not notified. */
  openedMute: 9,
  refreshed: 10,
} as const;

/** The number in the marker of a withdrawn attempt. It is higher than that of any send. */
export const WITHDRAWN_NUMBER = 2 ** 31;
