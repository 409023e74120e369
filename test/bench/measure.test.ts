import { runRounds } from '../../bench/measure';
import { toRatios } from '../../bench/ratios';
import { pairsOf } from '../../bench/target';

describe('the rounds of a measure', () => {
  it('take turns, and begin with another contestant each', async () => {
    const order: string[] = [];
    const contestants = ['a', 'b', 'c'].map((name) => ({
      name,
      prepare: async () => void order.push(`prepare ${name}`),
      run: async () => {
        order.push(name);
        return {};
      },
    }));
    await runRounds({ name: 'x', contestants, pairs: [] }, 2);
    expect(order.join(' ')).toBe('prepare a prepare b prepare c a b c b c a');
  });

  it('end where a run fails', async () => {
    const run = async () => Promise.reject(new Error('a wrong answer'));
    const measure = { name: 'x', contestants: [{ name: 'a', run }], pairs: [] };
    await expect(runRounds(measure, 1)).rejects.toThrow('a wrong answer');
  });
});

describe('the ratios of a measure', () => {
  const rounds = {
    ours: [2, 6, 3].map((cpuUs) => ({ cpuUs, meanMs: 1 })),
    'grpc-echo': [1, 2, 3].map((cpuUs) => ({ cpuUs })),
  };
  const pairs = [{ of: 'ours', to: 'grpc-echo' }];

  it('are of each round, by what both have', () => {
    const ratios = toRatios({ name: 'refused/grpc/redis/100', pairs, rounds });
    expect(ratios).toHaveLength(1);
    expect(ratios[0]).toMatchObject({
      metric: 'cpuUs',
      perRound: [2, 3, 1],
      interval: { median: 2, low: 1, high: 3, coverage: 0.75 },
      absolute: { of: 3, to: 2 },
      aim: { most: 1.45, verdict: 'undecided' },
    });
  });

  it('have no aim where there is none', () => {
    expect(toRatios({ name: 'refused/grpc/memory/10', pairs, rounds })[0]?.aim).toBeUndefined();
  });
});

describe('the pairs', () => {
  it('are ours beside everybody else', () => {
    expect(pairsOf(['ours', 'grpc-echo', 'daprd'])).toEqual([
      { of: 'ours', to: 'grpc-echo' },
      { of: 'ours', to: 'daprd' },
    ]);
  });

  it('are on one Node with the floor, and beside the first Node', () => {
    expect(pairsOf(['ours@20', 'echo@20', 'ours@22', 'echo@22', 'daprd'])).toEqual([
      { of: 'ours@20', to: 'echo@20' },
      { of: 'ours@20', to: 'daprd' },
      { of: 'ours@22', to: 'echo@22' },
      { of: 'ours@22', to: 'daprd' },
      { of: 'ours@22', to: 'ours@20' },
    ]);
  });
});
