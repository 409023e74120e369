/**
 * How much faster than ours a server's clock may run: twice the rate by which NTP may slew a clock
 * (500 ppm).
 */
const DRIFT = 0.001;

/**
 * The local end of a lease, counted from its send, less a margin, so that the server's own end is
 * never earlier. The server counts in microseconds, so nothing is lost by rounding but 1 ms of what
 * it says is left.
 */
export function toValidUntil(sentAtMs: number, leaseMs: number): number {
  return sentAtMs + leaseMs - (1 + leaseMs * DRIFT);
}
