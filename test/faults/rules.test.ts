import type { FaultWindow, Operation } from './history';
import { findHoldBreaks } from './hold-rules';
import { type Hold, type HoldEvent, toOperations } from './holds';
import { findViolations } from './linearizability';
import { Tally } from './tally';
import { findTokenBreaks } from './token-rules';
import { clockTimes } from './token-times';
import { Troubles } from './troubles';
import { findTurnBreaks } from './turn-rules';

/** In these histories the wall clock and the clock of the history are one. */
const drawnAt = clockTimes(0);

/** A token that was drawn at this moment. */
const tokenAt = (atMs: number): number => atMs * 1000;

let made = 0;

/** A hold that waits for up to 5 s with a lease of 1 s, and tells events by their moments. */
const hold = (
  events: readonly Partial<HoldEvent & { atMs: number }>[],
  more: Partial<Hold> = {},
): Hold => {
  made += 1;
  return {
    id: made,
    key: 'k',
    owner: `o${made}`,
    ttlMs: 1000,
    waitMs: 5000,
    sidecar: 0,
    over: 'grpc',
    calledAtMs: 10_000,
    endedAtMs: 30_000,
    events: events as HoldEvent[],
    ...more,
  };
};

const held = (atMs: number, validMs: number) =>
  ({ type: 'held', atMs, token: tokenAt(atMs - 1), validMs }) as const;

const acquired = (time: readonly [number, number], more: Partial<Operation> = {}): Operation => {
  made += 1;
  const [calledAtMs, returnedAtMs] = time;
  const call = { kind: 'acquire', by: 'holdfast', key: 'k', ttlMs: 1000 } as const;
  const token = tokenAt(returnedAtMs - 1);
  const grant = { owner: `o${made}`, calledAtMs, returnedAtMs, answer: 'acquired', token } as const;
  return { id: made, ...call, ...grant, ...more };
};

/** The findings of the rules in holds and further calls. */
const breaksOf = (
  holds: readonly Hold[],
  more: readonly Operation[] = [],
  faults: readonly FaultWindow[] = [],
  stalls: readonly FaultWindow[] = [],
  sendWaitsMs: readonly number[] = [],
): string[] => {
  let id = 0;
  const nextId = (): number => (id -= 1);
  const operations = [...more, ...holds.flatMap((each) => toOperations(each, nextId))];
  const troubles = new Troubles({ faults, stalls, sendWaitsMs });
  const account = { operations, holds, faults, troubles, tally: new Tally(), drawnAt };
  return [...findTokenBreaks(account), ...findHoldBreaks(account), ...findTurnBreaks(account)].map(
    ({ what }) => what,
  );
};

const pausedRedis = (fromMs: number, toMs: number): FaultWindow => ({
  kind: 'Redis paused',
  fromMs,
  toMs,
  losesData: false,
});

const flushed = (atMs: number): FaultWindow => ({
  ...pausedRedis(atMs, atMs + 1),
  kind: 'FLUSHALL',
  losesData: true,
});

describe('the rules of tokens', () => {
  it('accept tokens that rise and are drawn by their grants', () => {
    expect(breaksOf([], [acquired([10, 20]), acquired([30, 40])])).toEqual([]);
  });

  it.each<[string, Operation[], string]>([
    [
      'one that is lower than an earlier one',
      [acquired([10, 20], { token: tokenAt(19) }), acquired([21, 40], { token: tokenAt(18) })],
      'not higher',
    ],
    [
      'one that was drawn before the grant',
      [acquired([1000, 1010], { token: tokenAt(500) })],
      'was drawn at',
    ],
    ['one that lost digits', [acquired([1e9, 1e9 + 1], { token: 1.2345e15 })], 'was drawn at'],
    ['one that is too high to count', [acquired([10, 20], { token: 2 ** 53 })], 'is no token'],
  ])('reject %s', (_name, operations, what) => {
    expect(breaksOf([], operations)).toEqual([expect.stringContaining(what)]);
  });
});

describe('the rules of holds', () => {
  const renewed = (atMs: number, validMs: number) => ({ type: 'renewed', atMs, validMs }) as const;

  it.each<[string, Hold]>([
    [
      'one that waits, is renewed, at risk, and left',
      hold(
        [
          { type: 'queued', atMs: 10_001 },
          held(12_000, 3000),
          renewed(12_400, 3400),
          { type: 'atRisk', atMs: 12_900, validMs: 3400, reason: 'RENEWAL_FAILED' },
          renewed(13_100, 4000),
        ],
        { leftAtMs: 13_500, endedAtMs: 13_501 },
      ),
    ],
    [
      'one that is lost at its end',
      hold([held(10_001, 990), { type: 'lost', atMs: 10_991, reason: 'STORE_UNREACHABLE' }], {
        endedAtMs: 10_991,
      }),
    ],
    [
      'one that is refused at the end of its wait',
      hold(
        [
          { type: 'queued', atMs: 10_001 },
          { type: 'refused', atMs: 15_010 },
        ],
        {
          endedAtMs: 15_010,
        },
      ),
    ],
    [
      'one whose sidecar stops',
      hold(
        [
          held(10_001, 990),
          { type: 'atRisk', atMs: 10_100, validMs: 990, reason: 'SIDECAR_STOPPING' },
        ],
        {
          endedAtMs: 10_101,
          failure: { answer: 'not-applied', reason: 'the sidecar is stopping' },
        },
      ),
    ],
  ])('accept %s', (_name, good) => {
    const before = acquired([9000, 9001], { ttlMs: 10_000 });
    expect(breaksOf([good], [before])).toEqual([]);
  });

  it.each<[string, Hold, string]>([
    [
      'N4: renewed written after the end',
      hold([held(10_001, 990), renewed(12_600, 3500)], { leftAtMs: 12_700, endedAtMs: 12_700 }),
      'renewed came after the end that was told before',
    ],
    [
      'N4: an end of which nothing is told',
      hold([held(10_001, 990)], { leftAtMs: 20_000, endedAtMs: 20_000 }),
      'after its end it was told nothing',
    ],
    [
      'N4: something after lost',
      hold([held(10_001, 990), { type: 'lost', atMs: 10_500 }, renewed(10_600, 1600)], {
        leftAtMs: 10_700,
        endedAtMs: 10_700,
      }),
      'renewed after lost',
    ],
    [
      'an end that comes nearer',
      hold([held(10_001, 990), renewed(10_300, 700)], { leftAtMs: 10_400, endedAtMs: 10_400 }),
      'renewed told an earlier end',
    ],
    [
      'N5: a grant after the deadline',
      hold([held(17_000, 7900)], { leftAtMs: 17_100, endedAtMs: 17_100 }),
      'granted 2000 ms after its deadline',
    ],
    [
      'N5: a wait without an end',
      hold([{ type: 'queued', atMs: 10_001 }], { leftAtMs: 19_000, endedAtMs: 19_000 }),
      'after its end it was told nothing',
    ],
    [
      'a wait that ends before its time',
      hold([{ type: 'refused', atMs: 11_000 }], { endedAtMs: 11_000 }),
      'refused before its time was over',
    ],
    [
      'a hold that ends without a word',
      hold([held(10_001, 990)], { endedAtMs: 10_100 }),
      'ended untold',
    ],
  ])('reject %s', (_name, bad, what) => {
    expect(breaksOf([bad])).toContainEqual(expect.stringContaining(what));
  });

  const left = hold([held(10_001, 990)], { leftAtMs: 10_100, endedAtMs: 10_100 });
  const viewAt = (atMs: number): Operation => ({
    ...acquired([atMs, atMs + 1], { token: undefined }),
    kind: 'get',
    answer: 'seen',
    seen: { owner: left.owner, token: tokenAt(10_000), leftMs: 500, expiresAtMs: 1 },
  });

  it('reject a lock that is held on after its client has left (N9)', () => {
    const what = 'its lock was held on after its client had left';
    expect(breaksOf([left], [viewAt(12_200)])).toEqual([what]);
    expect(breaksOf([left], [viewAt(10_500)])).toEqual([]);
    // While Redis is away it can't be released; two seconds after, it has to be.
    expect(breaksOf([left], [viewAt(12_200)], [pausedRedis(10_050, 10_600)])).toEqual([]);
    expect(breaksOf([left], [viewAt(13_700)], [pausedRedis(10_050, 10_600)])).toEqual([what]);
  });

  it('keep a lock that a stopping sidecar left from others until the end that was told (N10)', () => {
    const events = [
      held(10_001, 990),
      { type: 'atRisk', atMs: 10_100, validMs: 990, reason: 'SIDECAR_STOPPING' },
    ] as const;
    const failure = { answer: 'not-applied', reason: 'the sidecar is stopping' } as const;
    const stopped = hold(events, { endedAtMs: 10_101, failure });
    let id = 0;
    const verdictAt = (atMs: number) =>
      findViolations({
        operations: [...toOperations(stopped, () => (id -= 1)), acquired([atMs, atMs + 5])],
        faults: [],
      }).map(({ what }) => what);
    expect(verdictAt(10_500)).toEqual(['no order explains acquire -> acquired']);
    expect(verdictAt(11_010)).toEqual([]);
  });
});

describe('the rules of turns', () => {
  const first = hold([{ type: 'queued', atMs: 10_010 }, held(12_000, 3000)], {
    leftAtMs: 12_100,
    endedAtMs: 12_100,
  });

  it('accept waiters that are served in turn', () => {
    expect(breaksOf([first], [acquired([10_500, 13_000], { waitMs: 5000 })])).toEqual([]);
  });

  it.each<[string, Operation]>([
    ['a waiter that came later', acquired([10_500, 11_000], { waitMs: 5000 })],
    ['a try that does not wait', acquired([10_990, 11_000])],
    ["a try of Dapr's API", acquired([10_990, 11_000], { kind: 'tryLock' })],
  ])('reject the grant of %s before that of a live ticket (N6)', (_name, grant) => {
    const what = expect.stringContaining('granted before hold') as string;
    expect(breaksOf([first], [grant])).toEqual([what]);
    // So short a fault drops no ticket.
    expect(breaksOf([first], [grant], [pausedRedis(10_020, 10_900)])).toEqual([what]);
    // One may be dropped where its sidecar can't refresh it for as long as it lives, or Redis loses it.
    expect(breaksOf([first], [grant], [pausedRedis(8500, 10_900)])).toEqual([]);
    expect(breaksOf([first], [grant], [flushed(10_900)])).toEqual([]);
  });

  it('accept it where a swallowed send kept a sidecar waiting for longer than its tickets live', () => {
    const grant = acquired([10_500, 11_000], { waitMs: 5000 });
    const swallowed = { ...pausedRedis(6900, 7300), kind: 'requests dropped', sidecar: 0 };
    const what = expect.stringContaining('granted before hold') as string;
    expect(breaksOf([first], [grant], [swallowed], [], [3000])).toEqual([]);
    expect(breaksOf([first], [grant], [swallowed], [], [150])).toEqual([what]);
  });

  const late = acquired([10_500, 11_000], { waitMs: 5000 });
  const standstill = (fromMs: number, toMs: number, sidecar?: number): FaultWindow => ({
    ...pausedRedis(fromMs, toMs),
    kind: 'waited for the processor',
    sidecar,
  });

  it('accept it where a sidecar with waiters got no processor for longer than its tickets live', () => {
    expect(breaksOf([first], [late], [], [standstill(8000, 10_950, 0)])).toEqual([]);
    expect(breaksOf([first], [late], [standstill(8000, 10_950, 0)])).toEqual([]);
  });

  it.each<[string, FaultWindow]>([
    ['that was shorter than a ticket lives', standstill(9900, 10_950, 0)],
    ['of another sidecar', standstill(8000, 10_950, 1)],
    ['that was over, with time to ask again', standstill(3000, 6500, 0)],
    ['that came later', standstill(12_000, 15_000, 0)],
  ])('reject it after a standstill %s', (_name, stall) => {
    expect(breaksOf([first], [late], [], [stall])).toHaveLength(1);
  });

  it('accept a grant to who came before, and to whom a daprd was asked', () => {
    const daprd = { by: 'daprd', token: undefined, kind: 'tryLock' } as const;
    expect(breaksOf([first], [acquired([9000, 11_000], { waitMs: 5000 })])).toEqual([]);
    expect(breaksOf([first], [acquired([10_990, 11_000], daprd)])).toEqual([]);
  });

  it('reject a grant that the store gave after the deadline (N5)', () => {
    const late = acquired([10_000, 13_000], { waitMs: 1000 });
    expect(breaksOf([], [late])).toEqual(['the store granted it after its deadline']);
  });

  it('reject a grant after the deadline no more where the sidecar stood still, by no more than that', () => {
    const granted = acquired([10_000, 13_000], { waitMs: 1000, sidecar: 0 });
    const paused = (fromMs: number, toMs: number) => ({
      ...standstill(fromMs, toMs, 0),
      kind: 'sidecar paused',
    });
    expect(breaksOf([], [granted], [paused(9990, 11_000)])).toEqual([]);
    expect(breaksOf([], [granted], [paused(9990, 10_300)])).toHaveLength(1);
  });

  it('reject a wait for a lock that is free (N7)', () => {
    const wait = { ...acquired([10_000, 13_000], { waitMs: 3000 }), answer: 'refused' } as const;
    const what = 'refused though the lock was free';
    expect(breaksOf([], [{ ...wait, token: undefined }])).toEqual([what]);
    const holder = acquired([9000, 9001], { ttlMs: 5000 });
    expect(breaksOf([], [holder, { ...wait, token: undefined }])).toEqual([]);
  });
});
