import { findAim, judge, kindOf } from '../../bench/aims';

const interval = (low: number, high: number, coverage = 0.96) => {
  return { median: (low + high) / 2, low, high, coverage };
};

describe('the verdict on an aim', () => {
  it.each([
    ['met', interval(1.1, 1.4)],
    ['met', interval(1.1, 1.45)],
    ['missed', interval(1.46, 1.6)],
    ['undecided', interval(1.4, 1.5)],
    ['undecided', interval(1.45, 1.5)],
    ['undecided', interval(1.1, 1.1, 0)],
    ['undecided', interval(3, 4, 0.75)],
  ])('is %s for %j of at most 1.45', (verdict, of) => {
    expect(judge(1.45, of)).toBe(verdict);
  });
});

describe('the aims', () => {
  const ratio = { measure: 'refused/grpc/redis/100', metric: 'cpuUs' } as const;

  it('hold for ours beside the floor that they name, on any Node', () => {
    const named = { numerator: 'ours@22.1.0', denominator: 'grpc-echo@22.1.0' };
    expect(findAim({ ...ratio, ...named })?.most).toBe(1.45);
  });

  it.each([
    ['ours', 'daprd'],
    ['daprd', 'grpc-echo'],
  ])('say nothing of %s beside %s', (numerator, denominator) => {
    expect(findAim({ ...ratio, numerator, denominator })).toBeUndefined();
  });

  it.each([
    ['a round trip to Redis', 3],
    ['polling every 50 ms', 0.05],
  ])('hold for a hand-over to one waiter beside %s', (denominator, most) => {
    const handOver = { measure: 'handover/http/redis/1', metric: 'handOverMs' } as const;
    expect(findAim({ ...handOver, numerator: 'ours', denominator })?.most).toBe(most);
  });

  it('say nothing of another metric', () => {
    const named = { metric: 'meanMs', numerator: 'ours', denominator: 'grpc-echo' } as const;
    expect(findAim({ ...ratio, ...named })).toBeUndefined();
  });

  it('know a contestant without its Node', () => {
    expect(['ours@20.1.0', 'ours'].map(kindOf)).toEqual(['ours', 'ours']);
  });
});
