/**
 * How much faster than ours a server's clock may run: twice the rate by which NTP may slew a clock
 * (500 ppm).
 */
export const CLOCK_DRIFT = 0.001;

/**
 * The local end of a lease, counted from its send, less a margin, so that the server's own end is
 * never earlier.
 *
 * @param roundingMs by how much the server's counting may shorten a lease, in milliseconds
 */
export function toLocalEnd(sentAtMs: number, leaseMs: number, roundingMs: number): number {
  return sentAtMs + leaseMs - (roundingMs + leaseMs * CLOCK_DRIFT);
}
