import { median, medianInterval, quantile } from '../../bench/statistics';

describe('the statistics of the benchmark', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[7], 7],
  ])('takes the middle of %j', (numbers, expected) => {
    expect(median(numbers)).toBe(expected);
  });

  it('has no median of nothing', () => {
    expect(median([])).toBeNaN();
  });

  it.each([
    [0.5, 50],
    [0.99, 99],
    [0.999, 100],
    [0, 1],
  ])('takes the quantile %d of 1 to 100 by its rank', (share, expected) => {
    const numbers = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(quantile(numbers, share)).toBe(expected);
  });

  // The ranks and chances of textbook tables for the sign test's interval.
  it.each([
    [6, 1, 6, 0.96875],
    [9, 2, 8, 0.9609375],
    [12, 3, 10, 0.961426],
    [20, 6, 15, 0.958611],
  ])(
    'puts the interval of %d samples from number %d to number %d',
    (count, low, high, coverage) => {
      const numbers = Array.from({ length: count }, (_, index) => index + 1);
      const interval = medianInterval([...numbers].reverse());
      expect(interval).toEqual({
        median: (count + 1) / 2,
        low,
        high,
        coverage: expect.closeTo(coverage, 5) as number,
      });
    },
  );

  it('takes all samples where they are too few, and says how little that is', () => {
    expect(medianInterval([5, 1, 3])).toEqual({ median: 3, low: 1, high: 5, coverage: 0.75 });
    expect(medianInterval([2])).toEqual({ median: 2, low: 2, high: 2, coverage: 0 });
  });
});
