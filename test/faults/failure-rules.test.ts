import { findFailureBreaks, findStartBreaks } from './failure-rules';
import type { FaultWindow, Operation } from './history';
import { Tally } from './tally';
import { clockTimes } from './token-times';
import { Troubles } from './troubles';

const call = (more: Partial<Operation>): Operation => ({
  id: 1,
  kind: 'tryLock',
  key: 'k',
  by: 'holdfast',
  sidecar: 0,
  owner: 'o',
  ttlMs: 1000,
  calledAtMs: 10_000,
  returnedAtMs: 10_100,
  patienceMs: 15_000,
  answer: 'unknown',
  ...more,
});

const fault = (fromMs: number, toMs: number, sidecar?: number): FaultWindow => ({
  kind: 'connection cut',
  fromMs,
  toMs,
  losesData: false,
  sidecar,
});

const breaksOf = (operation: Operation, faults: readonly FaultWindow[] = []): string[] => {
  const troubles = new Troubles({ faults });
  const account = { operations: [operation], holds: [], faults, troubles, tally: new Tally() };
  return findFailureBreaks({ ...account, drawnAt: clockTimes(0) }).map(({ what }) => what);
};

const away = call({ answer: 'not-applied', reason: "Redis can't be reached" });

describe('the rules of failures', () => {
  it.each<[string, Operation, FaultWindow[]]>([
    ['an unknown outcome at a fault', call({}), [fault(10_050, 10_060)]],
    ['a Redis that is away, just after a fault', away, [fault(9000, 9500)]],
    ['a client that has hung up', call({ patienceMs: 100 }), []],
    ['a wait whose last request was not answered', call({ waitMs: 100 }), []],
    ['a client that has gone', call({ reason: 'the caller has gone' }), []],
    ['a success', call({ answer: 'acquired' }), []],
  ])('accept %s', (_name, operation, faults) => {
    expect(breaksOf(operation, faults)).toEqual([]);
  });

  it.each<[string, Operation, FaultWindow[], string]>([
    ['an unknown outcome of nothing', call({}), [], 'unknown though nothing was broken'],
    [
      'an unknown outcome in the middle of a wait',
      call({ waitMs: 1000 }),
      [],
      'unknown though nothing was broken',
    ],
    ['a Redis that is away', away, [], 'not-applied though nothing was broken'],
    [
      'a Redis that is away long after the fault',
      away,
      [fault(8000, 8500)],
      'not-applied though nothing was broken',
    ],
    [
      "an unknown outcome at another sidecar's fault",
      call({}),
      [fault(10_050, 10_060, 1)],
      'unknown though nothing was broken',
    ],
    [
      'what no fault explains',
      call({ answer: 'not-applied', reason: 'WRONGTYPE' }),
      [fault(10_050, 10_060)],
      'failed though the server could serve',
    ],
  ])('reject %s', (_name, operation, faults, what) => {
    expect(breaksOf(operation, faults)).toEqual([what]);
  });
});

describe('a start of a sidecar that failed', () => {
  const start = { fromMs: 10_000, toMs: 11_000, reason: 'why' };

  it.each<[string, FaultWindow[], FaultWindow[], boolean]>([
    ['a fault of Redis shortly before', [fault(8000, 8500)], [], true],
    ['a stall in its time', [], [fault(10_500, 10_900)], true],
    ['a fault of one way to Redis', [fault(9000, 9500, 1)], [], false],
    ['a fault of Redis long before', [fault(6000, 7900)], [], false],
    ['a stall after it', [], [fault(11_100, 12_000)], false],
    ['nothing', [], [], false],
  ])('near %s', (_name, faults, stalls, isExcused) => {
    expect(findStartBreaks([start], { faults, stalls })).toHaveLength(isExcused ? 0 : 1);
  });
});
