/**
 * Redis counts expiry in whole milliseconds, so a lease may be 1 ms shorter than requested. The
 * other 1 ms is for the way of the command.
 */
const ROUNDING_MS = 2;

/**
 * How much faster than ours a server's clock may run: twice the rate by which NTP may slew a clock
 * (500 ppm).
 */
const DRIFT = 0.001;

/**
 * The local end of a lease, counted from its send, less a margin, so that the server's own end is
 * never earlier.
 */
export function toValidUntil(sentAtMs: number, leaseMs: number): number {
  return sentAtMs + leaseMs - (ROUNDING_MS + leaseMs * DRIFT);
}
