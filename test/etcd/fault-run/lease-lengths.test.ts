import type { FaultWindow, Operation } from '../../faults/history';
import { findViolations } from '../../faults/linearizability';
import { asLasting } from './lease-lengths';

const grant = (owner: string, token: number, calledAtMs: number, ttlMs: number): Operation => ({
  ...{ id: token, kind: 'acquire', by: 'holdfast', key: 'k', owner, token, ttlMs, calledAtMs },
  ...{ returnedAtMs: calledAtMs + 1, answer: 'acquired' },
});

const refusal = (calledAtMs: number): Operation => ({
  ...{ id: 99, kind: 'tryLock', by: 'holdfast', key: 'k', owner: 'late', ttlMs: 1000, calledAtMs },
  ...{ returnedAtMs: calledAtMs + 1, answer: 'refused' },
});

const election = (fromMs: number, toMs: number): FaultWindow => ({
  ...{ kind: 'election', fromMs, toMs, losesData: false },
});

const verdictOn = (operations: readonly Operation[], elections: readonly FaultWindow[] = []) =>
  findViolations({
    operations: operations.map((each) => asLasting(each, elections)),
    faults: elections,
  }).map(({ what }) => what);

describe('a lease of 300 ms on etcd', () => {
  it('may refuse others for some seconds, and no longer', () => {
    expect(verdictOn([grant('a', 1, 0, 300), refusal(3000)])).toEqual([]);
    expect(verdictOn([grant('a', 1, 0, 300), refusal(4000)])).toHaveLength(1);
  });

  it('may begin anew with a new leader', () => {
    const held = [grant('a', 1, 0, 300), refusal(6000)];
    expect(verdictOn(held)).toHaveLength(1);
    expect(verdictOn(held, [election(2000, 3000)])).toEqual([]);
    expect(verdictOn(held, [election(5000, 5500)])).toHaveLength(1);
  });

  it('is over when it was asked to be at the earliest', () => {
    expect(verdictOn([grant('a', 1, 0, 300), grant('b', 2, 400, 300)])).toEqual([]);
    expect(verdictOn([grant('a', 1, 0, 300), grant('b', 2, 200, 300)])).toHaveLength(1);
  });
});
