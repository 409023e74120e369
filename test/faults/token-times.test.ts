import type { Operation } from './history';
import { clockTimes, counterTimes } from './token-times';

let made = 0;

const grant = (token: number, [calledAtMs, returnedAtMs]: readonly [number, number]): Operation => {
  made += 1;
  const call = { kind: 'acquire', by: 'holdfast', owner: 'o', ttlMs: 1000 } as const;
  const time = { calledAtMs, returnedAtMs };
  return { id: made, ...call, key: `k${made}`, ...time, answer: 'acquired', token };
};

it('a token of a clock was drawn when the clock says so', () => {
  expect(clockTimes(1000)(5_000_000)).toEqual({ fromMs: 4000, toMs: 4000 });
});

describe('a token of one counter for all locks', () => {
  it('was drawn between the calls with lower tokens and the returns with higher ones', () => {
    const drawnAt = counterTimes([grant(3, [0, 100]), grant(5, [20, 90]), grant(8, [40, 60])]);
    expect(drawnAt(3)).toEqual({ fromMs: 0, toMs: 60 });
    expect(drawnAt(5)).toEqual({ fromMs: 20, toMs: 60 });
    expect(drawnAt(8)).toEqual({ fromMs: 40, toMs: 60 });
    expect(drawnAt(6)).toEqual({ fromMs: 20, toMs: 60 });
    expect(drawnAt(9)).toEqual({ fromMs: 40, toMs: Infinity });
  });

  it('contradicts the order of the calls where a later call has a lower one', () => {
    const { fromMs, toMs } = counterTimes([grant(8, [0, 100]), grant(3, [500, 600])])(3);
    expect(fromMs).toBeGreaterThan(toMs);
  });
});
