/** daprd's histogram bounds for latencies, in milliseconds (dapr/dapr pkg/diagnostics/utils). */
export const LATENCY_BUCKETS_MS: readonly number[] = [
  1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50, 65, 80, 100, 130, 160, 200, 250, 300, 400,
  500, 650, 800, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000,
];

const KI = 1024;
const MI = KI ** 2;
const GI = KI ** 3;

/** daprd's histogram bounds for sizes, in bytes. */
export const SIZE_BUCKETS_BYTES: readonly number[] = [
  KI,
  2 * KI,
  4 * KI,
  16 * KI,
  64 * KI,
  256 * KI,
  MI,
  4 * MI,
  16 * MI,
  64 * MI,
  256 * MI,
  GI,
  4 * GI,
];

/**
 * Histogram bounds for lock calls, in seconds. A lock on a nearby Redis takes less than daprd's
 * smallest bound. The largest bound is beyond every store's deadline.
 */
export const DURATION_BUCKETS_S: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  30,
];

/** Upper bounds of waits in turn, in seconds: from a hand-over to an hour. */
export const WAIT_BUCKETS_S: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600,
];
