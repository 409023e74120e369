/** A lease is renewed after a third of what is left of it, so that two renewals may fail, and a renewal takes no longer. */
const RENEWAL_PART = 1 / 3;

/** Renewals come earlier by up to this part of their pause, by chance: holds that began together must not stay together. */
const SPREAD_PART = 0.2;

/** The pause after a renewal that failed: a sixth of what is left, within bounds in milliseconds. */
const RETRY_PAUSE = { part: 1 / 6, leastMs: 5, mostMs: 500 } as const;

/** The pause before a release that failed is sent again, in milliseconds. */
export const RELEASE_PAUSE_MS = 500;

/**
 * After how long a lease is renewed, in milliseconds.
 *
 * @param chance from 0 to 1
 */
export function toRenewalPause(leftMs: number, chance: number): number {
  return leftMs * RENEWAL_PART * (1 - SPREAD_PART * chance);
}

/** How long a renewal's answer is awaited, in milliseconds: another one has to fit in. */
export function toRenewalLimit(leftMs: number): number {
  return leftMs * RENEWAL_PART;
}

/** After how long a renewal that failed, or was withheld, is tried again, in milliseconds. */
export function toRetryPause(leftMs: number): number {
  const { part, leastMs, mostMs } = RETRY_PAUSE;
  return Math.min(mostMs, Math.max(leastMs, leftMs * part));
}
