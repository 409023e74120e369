import * as fc from 'fast-check';

import type { Answer, FaultWindow, Operation } from './history';
import { findViolations } from './linearizability';

const TTL_MS = 1000;

let nextId = 0;
const operation = (
  kind: Operation['kind'],
  owner: string,
  [calledAtMs, returnedAtMs]: readonly [number, number],
  answer: Answer,
): Operation => {
  nextId += 1;
  const ttlMs = kind === 'tryLock' ? TTL_MS : 0;
  return {
    id: nextId,
    by: 'holdfast',
    key: 'k',
    kind,
    owner,
    ttlMs,
    calledAtMs,
    returnedAtMs,
    answer,
  };
};
const verdictOn = (operations: readonly Operation[], faults: readonly FaultWindow[] = []) =>
  findViolations({ operations, faults }).map(({ what }) => what);

/** A lock as it should be, one call at a time: the answers that a right history has. */
class ModelLock {
  #owner: string | undefined;
  #endsAtMs = 0;

  answer(kind: Operation['kind'], owner: string, atMs: number): Answer {
    if (atMs >= this.#endsAtMs) this.#owner = undefined;
    if (kind === 'tryLock') {
      if (this.#owner !== undefined) return 'refused';
      this.#owner = owner;
      this.#endsAtMs = atMs + TTL_MS;
      return 'acquired';
    }
    if (this.#owner === undefined) return 'not_found';
    if (this.#owner !== owner) return 'held_by_other';
    this.#owner = undefined;
    return 'unlocked';
  }
}

/** Calls with the moment at which each takes effect, and how long before and after it they last. */
const calls = fc.array(
  fc.record({
    kind: fc.constantFrom('tryLock' as const, 'unlock' as const),
    owner: fc.constantFrom('a', 'b', 'c'),
    // Not around the end of a lease, where either answer is right.
    gapMs: fc.constantFrom(1, 7, 30, 1500),
    beforeMs: fc.integer({ min: 0, max: 60 }),
    afterMs: fc.integer({ min: 0, max: 60 }),
  }),
  { maxLength: 60 },
);

type CallInput = typeof calls extends fc.Arbitrary<(infer Input)[]> ? Input : never;

const toHistory = (inputs: CallInput[]): Operation[] => {
  const lock = new ModelLock();
  let atMs = 0;
  return inputs.map(({ kind, owner, gapMs, beforeMs, afterMs }) => {
    atMs += gapMs;
    const window = [atMs - beforeMs, atMs + afterMs] as const;
    return operation(kind, owner, window, lock.answer(kind, owner, atMs));
  });
};

describe('the linearizability check', () => {
  it('accepts every history of a right lock, however its calls overlap', () => {
    fc.assert(
      fc.property(calls, (inputs) => {
        expect(verdictOn(toHistory(inputs))).toEqual([]);
      }),
    );
  });

  it('rejects a second holder, whatever went before', () => {
    fc.assert(
      fc.property(calls, (inputs) => {
        const history = toHistory(inputs);
        const start = 5000 + Math.max(0, ...history.map(({ returnedAtMs }) => returnedAtMs));
        history.push(operation('tryLock', 'x', [start, start + 5], 'acquired'));
        history.push(operation('tryLock', 'y', [start + 10, start + 15], 'acquired'));
        expect(verdictOn(history)).toEqual(['no order explains tryLock -> acquired']);
      }),
    );
  });

  it.each<[string, Operation[], string]>([
    ['a refusal by nobody', [operation('tryLock', 'a', [0, 1], 'refused')], 'tryLock -> refused'],
    [
      'a refusal by a lease that is over',
      [
        operation('tryLock', 'a', [0, 1], 'acquired'),
        operation('tryLock', 'b', [1100, 1101], 'refused'),
      ],
      'tryLock -> refused',
    ],
    [
      'an unlock that freed nothing',
      [
        operation('tryLock', 'a', [0, 1], 'acquired'),
        operation('unlock', 'a', [2, 3], 'unlocked'),
        operation('tryLock', 'b', [4, 5], 'refused'),
      ],
      'tryLock -> refused',
    ],
    [
      'an unlock that worked and said otherwise',
      [
        operation('tryLock', 'a', [0, 1], 'acquired'),
        operation('unlock', 'a', [2, 3], 'not_found'),
      ],
      'unlock -> not_found',
    ],
    [
      "another's unlock that worked",
      [operation('tryLock', 'a', [0, 1], 'acquired'), operation('unlock', 'b', [2, 3], 'unlocked')],
      'unlock -> unlocked',
    ],
    [
      'a re-entrant grant',
      [
        operation('tryLock', 'a', [0, 1], 'acquired'),
        operation('tryLock', 'a', [2, 3], 'acquired'),
      ],
      'tryLock -> acquired',
    ],
  ])('rejects %s', (_name, history, what) => {
    expect(verdictOn(history)).toEqual([`no order explains ${what}`]);
  });

  it('lets a try of unknown outcome hold the lock for a while', () => {
    const history = [
      operation('tryLock', 'a', [0, 10], 'unknown'),
      operation('tryLock', 'b', [20, 21], 'refused'),
    ];
    expect(verdictOn(history)).toEqual([]);
  });

  it.each([
    ['accepts', 1600, 0],
    ['rejects', 900, 1],
  ])('%s a view of the first grant of a call that took %i ms', (_verdict, tookMs, violations) => {
    const seen = { owner: 'a', token: 7, leftMs: 900, expiresAtMs: 0 };
    const history = [
      { ...operation('tryLock', 'a', [0, tookMs], 'acquired'), token: 9 },
      { ...operation('get', 'b', [100, 101], 'seen'), seen },
    ];
    expect(verdictOn(history)).toHaveLength(violations);
  });

  it('voids a lease where the server lost its data, and only then', () => {
    const history = [
      operation('tryLock', 'a', [0, 1], 'acquired'),
      operation('tryLock', 'b', [20, 21], 'acquired'),
    ];
    const at = { kind: 'FLUSHALL', fromMs: 10, toMs: 11 };
    expect(verdictOn(history, [{ ...at, losesData: true }])).toEqual([]);
    expect(verdictOn(history, [{ ...at, losesData: false }])).toHaveLength(1);
    const concerns = (key: string): boolean => key === 'k';
    expect(verdictOn(history, [{ ...at, losesData: true, concerns }])).toEqual([]);
    const others = (key: string): boolean => key !== 'k';
    expect(verdictOn(history, [{ ...at, losesData: true, concerns: others }])).toHaveLength(1);
  });
});
