import { growthMb } from '../../bench/grpc-soak/memory-watch';

/** Samples with this resident memory, one a second. */
const samplesOf = (rssMbs: readonly number[]) =>
  rssMbs.map((rssMb, index) => ({ atSeconds: index + 1, rssMb, heapMb: 1 }));

describe('the growth of memory in a soak', () => {
  it('leaves out the first fifth, in which the heap finds its size', () => {
    const rising = [50, 80, 100, 101, 100, 101, 100, 100, 101, 100];
    expect(growthMb(samplesOf(rising), 'rssMb')).toBeLessThanOrEqual(0.5);
  });

  it('is what the last fifth has more than the second one', () => {
    const leaking = Array.from({ length: 10 }, (_, index) => 100 + 10 * index);
    expect(growthMb(samplesOf(leaking), 'rssMb')).toBe(60);
    expect(growthMb(samplesOf(leaking), 'heapMb')).toBe(0);
  });
});
