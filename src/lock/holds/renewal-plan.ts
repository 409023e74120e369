/**
 * A lease is renewed after a third of its remaining time, so that two renewals may fail. A renewal
 * may take as long.
 */
const RENEWAL_PART = 1 / 3;

/**
 * Renewals are up to this part of their pause earlier, at random: holds that began together should
 * spread out.
 */
const SPREAD_PART = 0.2;

/**
 * The pause after a failed renewal: a sixth of the remaining time, within bounds in milliseconds.
 */
const RETRY_PAUSE = { part: 1 / 6, leastMs: 5, mostMs: 500 } as const;

/** The pause before a failed release is sent again, in milliseconds. */
export const RELEASE_PAUSE_MS = 500;

/**
 * The pause before a renewal, in milliseconds.
 *
 * @param chance a random number from 0 to 1
 */
export function toRenewalPause(leftMs: number, chance: number): number {
  return leftMs * RENEWAL_PART * (1 - SPREAD_PART * chance);
}

/** How long a renewal may take, in milliseconds. Another one must fit into the lease. */
export function toRenewalLimit(leftMs: number): number {
  return leftMs * RENEWAL_PART;
}

/** The pause after a renewal that failed or was withheld, in milliseconds. */
export function toRetryPause(leftMs: number): number {
  const { part, leastMs, mostMs } = RETRY_PAUSE;
  return Math.min(mostMs, Math.max(leastMs, leftMs * part));
}
