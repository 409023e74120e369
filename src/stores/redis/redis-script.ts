import { createHash } from 'node:crypto';

/** A Lua script and the hash that Redis knows it by. */
export interface RedisScript {
  readonly source: string;
  /** SHA-1 in hex, what EVALSHA takes. */
  readonly sha1: string;
}

/** Makes a script of its text. */
export function defineScript(source: string): RedisScript {
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}

/**
 * What the scripts answer, alone or as the first of a list. Every number is distinct, so that a reply can't
 * be taken for that of another script, and none changes its meaning: versions share a Redis.
 */
export const REPLY = {
  refused: 0,
  acquired: 1,
  unlocked: 2,
  notFound: -1,
  heldByOther: -2,
  withdrawn: 3,
  nothingToWithdraw: 4,
  /** The script ran after its notAfter and has changed nothing. */
  stale: -3,
  /** A later send of the same attempt, or its withdrawal, came first; nothing was changed. */
  superseded: -4,
  renewed: 5,
  /** The ticket waits. */
  queued: 6,
  /** More dead tickets lead the queue than one script drops: ask again. */
  sweeping: 7,
  /** The session that the tickets belong to is over, and tickets may have been dropped; nothing was changed. */
  lapsed: -5,
  /** No higher fencing token is left; nothing was changed. */
  exhausted: -6,
  opened: 8,
  /** As opened, but this user may not publish: waiters are not woken. */
  openedMute: 9,
  refreshed: 10,
} as const;

/** The number in the marker of a withdrawn attempt: higher than that of any send. */
export const WITHDRAWN_NUMBER = 2 ** 31;
