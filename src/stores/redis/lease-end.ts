/** A key's expiry is counted in whole milliseconds, and so may the lease be 1 ms shorter; as much for the way. */
const ROUNDING_MS = 2;

/** How much faster a server's clock may run than ours: twice what NTP lets a clock be slewed by (500 ppm). */
const DRIFT = 0.001;

/**
 * The local end of a lease: of what its server counts from a moment after the send, less a margin, so that the
 * server's own end is never earlier.
 */
export function toValidUntil(sentAtMs: number, leaseMs: number): number {
  return sentAtMs + leaseMs - (ROUNDING_MS + leaseMs * DRIFT);
}
