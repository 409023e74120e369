import type { FaultWindow, Operation } from '../../faults/history';
import { findViolations } from '../../faults/linearizability';
import type { Observed } from '../../faults/observe';
import { withoutTakenBack } from './failover-watch';

let calls = 0;

/** A call of Dapr's API on the lock `k`, or another, with a lease of 1 s. */
const call = (
  [calledAtMs, returnedAtMs]: readonly [number, number],
  given: Pick<Operation, 'kind' | 'owner' | 'answer'> & Partial<Operation>,
): Operation => {
  calls += 1;
  const ttlMs = given.kind === 'tryLock' ? 1000 : 0;
  return { id: calls, key: 'k', by: 'holdfast', ttlMs, calledAtMs, returnedAtMs, ...given };
};

/** Taken, released, and refused to another while the lease would have lasted. */
const history = (key: string): readonly Operation[] => [
  call([10, 20], { key, kind: 'tryLock', owner: 'a', answer: 'acquired' }),
  call([30, 40], { key, kind: 'unlock', owner: 'a', answer: 'unlocked' }),
  call([300, 310], { key, kind: 'tryLock', owner: 'b', answer: 'refused' }),
];

const promoted = (fromMs: number, toMs: number): FaultWindow => ({
  ...{ kind: 'replica promoted', fromMs, toMs, losesData: true },
  concerns: (key) => key === 'k',
});

const verdictOn = (operations: readonly Operation[], faults: readonly FaultWindow[]) => {
  const seen = { account: { operations }, history: { operations, faults }, faults };
  const judged = withoutTakenBack(seen as unknown as Observed);
  return findViolations(judged.history).map(({ what }) => what);
};

describe('an unlock before a replica was promoted', () => {
  it('may have been taken back: its lock may be held again', () => {
    expect(verdictOn(history('k'), [promoted(35, 200)])).toEqual([]);
  });

  it.each<[string, readonly Operation[], readonly FaultWindow[]]>([
    ['without a promotion', history('k'), []],
    ['of another master', history('other'), [promoted(35, 200)]],
    ['that came later', history('k'), [promoted(50, 200)]],
  ])('was not taken back %s', (_name, operations, faults) => {
    expect(verdictOn(operations, faults)).toHaveLength(1);
  });
});
