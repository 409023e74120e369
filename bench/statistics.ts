/** A median with the interval that holds the true one, and how surely it does. */
export interface MedianInterval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** The chance, 0 to 1, that the interval holds the true median: exact, whatever the distribution. */
  readonly coverage: number;
}

/** How sure an interval is to be at least; few samples can't reach it, and then say what they do. */
export const LEAST_COVERAGE = 0.95;

/** The middle of the numbers, or the mean of the two in the middle. NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = toSorted(numbers);
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return low === undefined || high === undefined ? NaN : (low + high) / 2;
}

/** The smallest of the numbers that at least the given share (0 to 1) of them don't exceed. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = toSorted(numbers);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/**
 * The median with its distribution-free interval, between two order statistics: the k-th smallest
 * and the k-th largest hold the true median with chance 1 - 2 P(Binomial(n, 1/2) < k). It takes the
 * narrowest pair that is sure enough, or all of the samples where none is (fewer than 6). Timings
 * have long tails and unknown shapes; a mean and its normal interval would assume both away.
 */
export function medianInterval(numbers: readonly number[]): MedianInterval {
  const sorted = toSorted(numbers);
  let rank = 1;
  while (coverageOf(sorted.length, rank + 1) >= LEAST_COVERAGE) rank += 1;
  return {
    median: median(sorted),
    low: sorted[rank - 1] ?? NaN,
    high: sorted[sorted.length - rank] ?? NaN,
    coverage: coverageOf(sorted.length, rank),
  };
}

function coverageOf(samples: number, rank: number): number {
  let chance = 2 ** -samples;
  let below = 0;
  for (let hits = 0; hits < rank; hits += 1) {
    below += chance;
    chance *= (samples - hits) / (hits + 1);
  }
  return Math.max(0, 1 - 2 * below);
}

function toSorted(numbers: readonly number[]): number[] {
  return [...numbers].sort((one, other) => one - other);
}
