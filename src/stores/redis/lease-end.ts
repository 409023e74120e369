import { toLocalEnd } from '../attempts/lease-end';

/**
 * Redis counts expiry in whole milliseconds, so a lease may be 1 ms shorter than requested. The
 * other 1 ms is for the way of the command.
 */
const ROUNDING_MS = 2;

/** The local end of a lease on Redis, counted from its send. */
export function toValidUntil(sentAtMs: number, leaseMs: number): number {
  return toLocalEnd(sentAtMs, leaseMs, ROUNDING_MS);
}
