import type { FaultWindow, Operation } from './history';
import { findViolations } from './linearizability';
import { Tally } from './tally';

const TTL_MS = 1000;
const [A, B, VIEWER] = ['a', 'b', 'viewer'];

let nextId = 0;

const call = (
  kind: Operation['kind'],
  owner: string,
  [calledAtMs, returnedAtMs]: readonly [number, number],
  told: Partial<Operation> & Pick<Operation, 'answer'>,
): Operation => {
  nextId += 1;
  const ttlMs = kind === 'get' ? 0 : TTL_MS;
  const common = { id: nextId, by: 'holdfast', key: 'k', kind, owner, ttlMs } as const;
  return { ...common, calledAtMs, returnedAtMs, ...told };
};

/** Somebody sees the lock of an owner, with so much left of its lease. */
const seen = (owner: string, time: readonly [number, number], leftMs: number): Operation => {
  const lock = { owner, token: 5, leftMs, expiresAtMs: 1 };
  return call('get', VIEWER, time, { answer: 'seen', seen: lock });
};

const acquired = (owner: string, token: number, time: readonly [number, number], more = {}) =>
  call('acquire', owner, time, { answer: 'acquired', token, ...more });

const lostReply: FaultWindow = {
  kind: 'replies dropped',
  fromMs: 895,
  toMs: 940,
  losesData: false,
};

/** A try that took long, and whose owner was seen with the lock in between. */
const slowTry = (): Operation[] => [
  call('tryLock', A, [0, 3300], { answer: 'refused', sidecar: 1 }),
  seen(A, [1000, 1100], 500),
  acquired(B, 6, [2500, 2501]),
];

/** The effect of a call that is sent again because its reply was lost. */
describe('the history check of repeated sends', () => {
  it.each<[string, Operation[], FaultWindow[]]>([
    [
      'an acquire whose second send moves the end, after a view showed the first',
      [acquired(A, 5, [0, 100], { validUntilMs: 1090 }), seen(A, [20, 30], 990)],
      [],
    ],
    [
      'a renewal that took effect, ran out while its reply was lost, and found another holder',
      [
        acquired(A, 5, [0, 1]),
        call('renew', A, [900, 1900], { answer: 'held_by_other', named: 5 }),
        seen(A, [1200, 1210], 500),
        acquired(B, 6, [1800, 1801]),
      ],
      [lostReply],
    ],
    [
      'the same where it found the lock free',
      [
        acquired(A, 5, [0, 1]),
        call('renew', A, [900, 1900], { answer: 'not_found', named: 5 }),
        seen(A, [1200, 1210], 500),
      ],
      [lostReply],
    ],
    [
      'a try whose first send was granted, ran out, and was refused by its second, while replies were lost',
      slowTry(),
      [{ ...lostReply, fromMs: 5, toMs: 60 }],
    ],
    [
      'the same where a fault of its own sidecar was over less than a second before',
      slowTry(),
      [{ ...lostReply, kind: 'connection cut', fromMs: -990, toMs: -950, sidecar: 1 }],
    ],
  ])('accepts %s', (_name, operations, faults) => {
    expect(findViolations({ operations, faults })).toEqual([]);
  });

  it.each<[string, Operation[], FaultWindow[]]>([
    [
      'an acquire that tells an end which no send of it can have',
      [acquired(A, 5, [0, 100], { validUntilMs: 1110 })],
      [],
    ],
    [
      'a grant before the end that a repeated acquire has told',
      [acquired(A, 5, [0, 100], { validUntilMs: 1090 }), acquired(B, 6, [1050, 1060])],
      [],
    ],
    [
      'a renewal that found its grant gone, and prolonged it though nothing was lost',
      [
        acquired(A, 5, [0, 1]),
        call('renew', A, [1010, 1020], { answer: 'held_by_other', named: 5 }),
        seen(A, [1200, 1210], 500),
      ],
      [],
    ],
    [
      'a renewal that prolonged its grant after it had said that it is gone',
      [
        acquired(A, 5, [0, 1]),
        call('renew', A, [900, 950], { answer: 'not_found', named: 5 }),
        seen(A, [1900, 1905], 100),
      ],
      [lostReply],
    ],
    [
      'a grant to a call that was said to have done nothing',
      [call('acquire', A, [0, 50], { answer: 'not-applied', waitMs: 20 }), seen(A, [60, 70], 900)],
      [{ ...lostReply, fromMs: 10, toMs: 40 }],
    ],
    [
      'a grant to a try that was refused at once',
      [
        call('tryLock', A, [0, 300], { answer: 'refused' }),
        seen(A, [100, 110], 900),
        acquired(B, 6, [200, 201]),
      ],
      [],
    ],
    ['the same try where it was merely slow', slowTry(), []],
    [
      'the same try where a fault was over more than a second before',
      slowTry(),
      [{ ...lostReply, kind: 'connection cut', fromMs: -1090, toMs: -1050 }],
    ],
    [
      'the same try where a fault hit another sidecar',
      slowTry(),
      [{ ...lostReply, fromMs: 5, toMs: 60, sidecar: 0 }],
    ],
    [
      'the same try where nothing but the scripts was lost',
      slowTry(),
      [{ ...lostReply, kind: 'SCRIPT FLUSH', fromMs: 5, toMs: 60 }],
    ],
  ])('rejects %s', (_name, operations, faults) => {
    expect(findViolations({ operations, faults })).toHaveLength(1);
  });

  it('accepts the try where a stall was measured in its time, and counts it as excused', () => {
    const stalls = [{ ...lostReply, kind: 'waited for the processor', fromMs: 5, toMs: 400 }];
    const rule = 'outcomes: calls by which another may have been refused twice';
    const tally = new Tally();
    expect(findViolations({ operations: slowTry(), faults: [], stalls }, tally)).toEqual([]);
    expect(tally.of(rule)).toEqual({ judged: 2, excused: 1 });
  });

  it('keeps what concerns the owner of a violation, also what was said to have done nothing', () => {
    const nothing = call('acquire', A, [0, 50], { answer: 'not-applied' });
    const others = Array.from({ length: 200 }, (_, index) =>
      call('tryLock', B, [9000 + index, 9001 + index], { answer: 'not-applied' }),
    );
    const view = seen(A, [9300, 9310], 900);
    const [violation] = findViolations({ operations: [nothing, ...others, view], faults: [] });
    expect(violation?.around).toContain(nothing);
    expect(violation?.around.length).toBeLessThan(100);
  });
});
