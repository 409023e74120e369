import { toLocalEnd } from '../attempts/lease-end';

/**
 * The server counts in microseconds, so nothing is lost by rounding but 1 ms of what it says is
 * left.
 */
const ROUNDING_MS = 1;

/** The local end of a lease on PostgreSQL, counted from its send. */
export function toValidUntil(sentAtMs: number, leaseMs: number): number {
  return toLocalEnd(sentAtMs, leaseMs, ROUNDING_MS);
}
