import * as fc from 'fast-check';

import type { FaultWindow, Operation } from './history';
import { findViolations } from './linearizability';

const TTL_MS = 1000;

let nextId = 0;

/** A call on the lock of these histories. */
const call = (
  kind: Operation['kind'],
  owner: string,
  [calledAtMs, returnedAtMs]: readonly [number, number],
  told: Partial<Operation> & Pick<Operation, 'answer'>,
): Operation => {
  nextId += 1;
  const by = told.token === undefined && kind === 'tryLock' ? 'daprd' : 'holdfast';
  const ttlMs = kind === 'acquire' || kind === 'tryLock' || kind === 'renew' ? TTL_MS : 0;
  return { id: nextId, by, key: 'k', kind, owner, ttlMs, calledAtMs, returnedAtMs, ...told };
};

const acquired = (owner: string, token: number, time: readonly [number, number], more = {}) =>
  call('acquire', owner, time, { answer: 'acquired', token, ...more });

const seen = (owner: string, token: number, leftMs: number) =>
  ({ answer: 'seen', seen: { owner, token, leftMs, expiresAtMs: 1 } }) as const;

const verdictOn = (operations: readonly Operation[], faults: readonly FaultWindow[] = []) =>
  findViolations({ operations, faults }).map(({ what }) => what);

const [A, B] = ['a', 'b'];

describe('the history check of the native API', () => {
  it.each<[string, Operation[]]>([
    [
      'a waiter that is granted the lock when it is released, with a higher token',
      [
        acquired(A, 5, [0, 1]),
        acquired(B, 6, [2, 500], { waitMs: 1000 }),
        call('release', A, [400, 480], { answer: 'unlocked', named: 5 }),
      ],
    ],
    [
      'a renewal by which a lease outlasts its first end',
      [
        acquired(A, 5, [0, 1]),
        call('renew', A, [900, 901], { answer: 'renewed', named: 5, token: 5, validUntilMs: 1890 }),
        call('acquire', B, [1500, 1501], { answer: 'refused' }),
        acquired(B, 6, [1910, 1911]),
      ],
    ],
    [
      'a renewal by owner alone, of a lock that a daprd took',
      [
        call('tryLock', A, [0, 1], { answer: 'acquired' }),
        call('renew', A, [900, 901], { answer: 'renewed', token: 0 }),
        call('get', B, [1500, 1501], seen(A, 0, 400)),
      ],
    ],
    [
      'a renewal of a lease that has ended, and of another grant of the same owner',
      [
        acquired(A, 5, [0, 1]),
        call('renew', A, [1100, 1101], { answer: 'not_found', named: 5 }),
        acquired(A, 6, [1200, 1201]),
        call('renew', A, [1300, 1301], { answer: 'held_by_other', named: 5 }),
      ],
    ],
    [
      'a forced release of the grant that was seen, after which its owner holds nothing',
      [
        acquired(A, 5, [0, 1]),
        call('get', B, [10, 11], seen(A, 5, 990)),
        call('forceRelease', B, [20, 21], { answer: 'unlocked', named: 5 }),
        call('release', A, [30, 31], { answer: 'not_found', named: 5 }),
        call('get', B, [40, 41], { answer: 'free' }),
      ],
    ],
    [
      'a try that is refused though the lock is free, as somebody waits for it',
      [
        acquired(A, 5, [0, 1]),
        acquired(B, 6, [2, 30], { waitMs: 1000 }),
        call('release', A, [9, 10], { answer: 'unlocked', named: 5 }),
        call('tryLock', 'c', [12, 13], { answer: 'refused', token: 0 }),
      ],
    ],
    [
      'a renewal of unknown outcome that prolonged the lease',
      [
        acquired(A, 5, [0, 1]),
        call('renew', A, [900, 950], { answer: 'unknown', named: 5 }),
        call('acquire', B, [1500, 1501], { answer: 'refused' }),
      ],
    ],
    [
      'a renewal of unknown outcome that did not',
      [
        acquired(A, 5, [0, 1]),
        call('renew', A, [900, 950], { answer: 'unknown', named: 5 }),
        acquired(B, 6, [1100, 1101]),
      ],
    ],
  ])('accepts %s', (_name, history) => {
    expect(verdictOn(history)).toEqual([]);
  });

  it.each<[string, Operation[], string]>([
    [
      'N1: a grant of the one API while the other holds the lock',
      [acquired(A, 5, [0, 1]), call('tryLock', B, [10, 11], { answer: 'acquired' })],
      'tryLock -> acquired',
    ],
    [
      'N1: a grant before the end that the holder was told',
      [acquired(A, 5, [0, 400], { validUntilMs: 1390 }), acquired(B, 6, [1200, 1201])],
      'acquire -> acquired',
    ],
    [
      'N1: an end that is later than that of the lease',
      [acquired(A, 5, [0, 1], { validUntilMs: 1200 })],
      'acquire -> acquired',
    ],
    [
      'N1: a second acquire that takes the lock of its own owner',
      [acquired(A, 5, [0, 1]), acquired(A, 6, [10, 11])],
      'acquire -> acquired',
    ],
    [
      'N2: a token that is not higher than the one before',
      [
        acquired(A, 5, [0, 1]),
        call('release', A, [2, 3], { answer: 'unlocked', named: 5 }),
        acquired(B, 5, [4, 5]),
      ],
      'acquire -> acquired',
    ],
    [
      'N2: tokens that fall although the calls overlap',
      [
        acquired(A, 7, [0, 10]),
        call('release', A, [11, 12], { answer: 'unlocked', named: 7 }),
        acquired(B, 6, [0, 20], { waitMs: 1000 }),
      ],
      'acquire -> acquired',
    ],
    [
      'N3: a renewal that revives a lease',
      [
        acquired(A, 5, [0, 1]),
        call('renew', A, [1100, 1101], { answer: 'renewed', named: 5, token: 5 }),
      ],
      'renew -> renewed',
    ],
    [
      'N3: a renewal after the release',
      [
        acquired(A, 5, [0, 1]),
        call('release', A, [2, 3], { answer: 'unlocked', named: 5 }),
        call('renew', A, [4, 5], { answer: 'renewed', named: 5, token: 5 }),
      ],
      'renew -> renewed',
    ],
    [
      'N3: a renewal of a later grant of the same owner',
      [
        acquired(A, 5, [0, 1]),
        call('release', A, [2, 3], { answer: 'unlocked', named: 5 }),
        acquired(A, 6, [4, 5]),
        call('renew', A, [6, 7], { answer: 'renewed', named: 5, token: 6 }),
      ],
      'renew -> renewed',
    ],
    [
      'N3: a lease that a renewal has shortened',
      [
        acquired(A, 5, [0, 1]),
        call('renew', A, [2, 3], { answer: 'renewed', named: 5, ttlMs: 300 }),
        call('get', B, [4, 5], seen(A, 5, 298)),
      ],
      'get -> seen',
    ],
    [
      'N3: a renewed lease that ends at its first end',
      [
        acquired(A, 5, [0, 1]),
        call('renew', A, [900, 901], { answer: 'renewed', named: 5, token: 5 }),
        acquired(B, 6, [1100, 1101]),
      ],
      'acquire -> acquired',
    ],
    [
      "a release of another's grant",
      [acquired(A, 6, [0, 1]), call('release', A, [2, 3], { answer: 'unlocked', named: 5 })],
      'release -> unlocked',
    ],
    [
      'a forced release of a later grant than the one that was seen',
      [acquired(A, 6, [0, 1]), call('forceRelease', B, [2, 3], { answer: 'unlocked', named: 5 })],
      'forceRelease -> unlocked',
    ],
    [
      'a view that shows a lock free that is held',
      [acquired(A, 5, [0, 1]), call('get', B, [2, 3], { answer: 'free' })],
      'get -> free',
    ],
    [
      'a view that shows another token, as that of a companion that does not count',
      [call('tryLock', A, [0, 1], { answer: 'acquired' }), call('get', B, [2, 3], seen(A, 5, 998))],
      'get -> seen',
    ],
    [
      'a view that shows a holder who has released',
      [
        acquired(A, 5, [0, 1]),
        call('release', A, [2, 3], { answer: 'unlocked', named: 5 }),
        call('get', B, [4, 5], seen(A, 5, 997)),
      ],
      'get -> seen',
    ],
    [
      'a refusal by nobody, long after the last waiter was served',
      [
        acquired(A, 5, [0, 10], { waitMs: 1000 }),
        call('release', A, [11, 12], { answer: 'unlocked', named: 5 }),
        call('acquire', B, [1000, 1001], { answer: 'refused' }),
      ],
      'acquire -> refused',
    ],
  ])('rejects %s', (_name, history, what) => {
    expect(verdictOn(history)).toEqual([`no order explains ${what}`]);
  });

  it('voids a lease with its token where the server lost its data, and lets no token fall for it', () => {
    const loss = { kind: 'FLUSHALL', fromMs: 5, toMs: 6, losesData: true };
    const grants = (token: number) => [acquired(A, 5, [0, 1]), acquired(B, token, [10, 11])];
    expect(verdictOn(grants(6), [loss])).toEqual([]);
    expect(verdictOn(grants(4), [loss])).toEqual(['no order explains acquire -> acquired']);
  });

  it('accepts waiters that are served one after another in any number, and no two that swap their tokens', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.nat(), (count, chance) => {
        const history = Array.from({ length: count }, (_, index) => [
          acquired(`w${index}`, index + 1, [0, index * 100 + 20], { waitMs: 5000 }),
          call('release', `w${index}`, [index * 100 + 50, index * 100 + 110], {
            answer: 'unlocked',
            named: index + 1,
          }),
        ]).flat();
        expect(verdictOn(history)).toEqual([]);
        const at = 2 * (chance % (count - 1));
        const swapped = history.map((each, index) => {
          if (index === at) return { ...each, token: history[at + 2]!.token };
          return index === at + 2 ? { ...each, token: history[at]!.token } : each;
        });
        expect(verdictOn(swapped)).toHaveLength(1);
      }),
    );
  });
});
