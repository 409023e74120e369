import { Cancellation } from '../../src/base/cancellation';
import { type CallPolicy, plainPolicy, TimeLimitError } from '../../src/lock/call-policy';
import { FirstAsks, MOST_FIRST_ASKS } from '../../src/lock/waiting/first-asks';
import { LockServer } from '../support/lock-world/lock-server';
import { calmNetwork, type Network, SEND_LIFE_MS } from '../support/lock-world/remote-store';
import { keyOf, SimulatedSidecar } from '../support/lock-world/sidecar';
import { ManualClock, settlePromises } from '../support/manual-clock';

/** More than a server that takes a millisecond for each can answer within the time of a send. */
const MANY = 3 * SEND_LIFE_MS;

describe('thousands of calls that begin at one moment', () => {
  let clock: ManualClock;
  let server: LockServer;
  let sidecar: SimulatedSidecar;

  /** A server that takes a millisecond for each request, one after another. */
  const oneAtATime = (): Network => {
    let busyUntilMs = 0;
    const passage = () => {
      busyUntilMs = Math.max(busyUntilMs, clock.now()) + 1;
      return { thereMs: busyUntilMs - clock.now(), backMs: 1, lost: 'nothing' } as const;
    };
    return { ...calmNetwork, passage };
  };

  beforeEach(() => {
    clock = new ManualClock();
    clock.pass(1000);
    server = new LockServer(clock);
    sidecar = new SimulatedSidecar(server, clock);
  });

  it.each([
    ['hold', 0],
    ['wait and hold', 60_000],
  ])('%s: each is answered, as the store can', async (_what, waitMs) => {
    sidecar.store.network = oneAtATime();
    const holds = Array.from({ length: MANY }, (_, index) =>
      sidecar.hold({ resourceId: `r${index}`, ttlMs: 600_000, waitMs }),
    );
    await clock.passGently(2 * MANY);
    expect(new Set(holds.flatMap(({ told }) => told))).toEqual(new Set(['held']));
    expect(holds.filter(({ end }) => end !== 'open')).toEqual([]);
  });

  /** So many that are sent and not answered that no other has its turn. */
  const fillPlaces = (): void => {
    sidecar.store.network = {
      ...calmNetwork,
      passage: () => ({ thereMs: 900, backMs: 9, lost: 'reply' }),
    };
    for (let index = 0; index < MOST_FIRST_ASKS; index += 1) {
      sidecar.hold({ resourceId: `first${index}`, waitMs: 60_000 });
    }
  };

  const endOf = async (waitMs: number, after: (signal: Cancellation) => void) => {
    fillPlaces();
    const last = sidecar.hold({ resourceId: 'last', waitMs });
    await clock.passGently(5);
    after(last.signal);
    await clock.passGently(600);
    expect(sidecar.store.asked).not.toContain(keyOf('last'));
    return last.end;
  };

  it('are sent nothing of where the caller leaves before its turn', async () => {
    const end = await endOf(60_000, (signal) => {
      signal.abort();
    });
    expect(end).toMatchObject({ errorCode: 'ERR_LOCK_CANCELLED' });
  });

  it('hold nothing where the sidecar stops before their turn', async () => {
    const end = await endOf(60_000, () => {
      sidecar.locks.stop();
    });
    expect(end).toMatchObject({ errorCode: 'ERR_LOCK_STOPPING' });
  });

  it('are told that the store is too slow where their time is over before their turn', async () => {
    const end = await endOf(100, () => undefined);
    expect(end).toMatchObject({ errorCode: 'ERR_LOCK_STORE_UNAVAILABLE' });
  });
});

describe('the turn of a call under a policy', () => {
  let clock: ManualClock;
  let server: LockServer;
  let sidecar: SimulatedSidecar;

  const start = (policy: CallPolicy): void => {
    clock = new ManualClock();
    server = new LockServer(clock);
    sidecar = new SimulatedSidecar(server, clock, { policyOf: () => policy });
  };

  const loseReplies = (): void => {
    sidecar.store.network = {
      ...calmNetwork,
      passage: () => ({ thereMs: 1, backMs: 1, lost: 'reply' }),
    };
  };

  const holdMany = (waitMs = 0): void => {
    for (let index = 0; index < 2 * MOST_FIRST_ASKS; index += 1) {
      sidecar.hold({ resourceId: `r${waitMs}-${index}`, waitMs });
    }
  };

  const timed: CallPolicy = {
    run: (send, signal) =>
      send(signal).catch(() => {
        const over = new Cancellation();
        clock.after(100, () => {
          over.abort(new TimeLimitError('context deadline exceeded'));
        });
        return send(over);
      }),
  };
  const twice: CallPolicy = { run: (send, signal) => send(signal).catch(() => send(signal)) };

  it.each([
    ['the time of its second try is over', timed, false],
    ['its caller leaves during its second try', twice, true],
  ])('a hold that may have been granted is withdrawn where %s', async (_when, policy, leaves) => {
    start(policy);
    loseReplies();
    const hold = sidecar.hold({ ttlMs: 60_000 });
    await clock.passGently(500);
    holdMany();
    await clock.passGently(SEND_LIFE_MS - 400);
    expect(server.lockOf(keyOf('r'))).toBeDefined();
    sidecar.store.network = calmNetwork;
    if (leaves) hold.signal.abort();
    await clock.passGently(100);
    expect(hold.end).toMatchObject({ errorCode: 'ERR_LOCK_OUTCOME_UNKNOWN' });
    expect(server.lockOf(keyOf('r'))).toBeUndefined();
  });

  it.each([
    ['holds', [0]],
    ['waits', [60_000]],
    ['both together', [0, 60_000]],
  ])('%s: comes before the policy, for 200 of a store at a time', async (_what, waits) => {
    let runs = 0;
    start({
      run: (send, signal) => {
        runs += 1;
        return send(signal);
      },
    });
    loseReplies();
    waits.forEach(holdMany);
    await clock.passGently(100);
    expect(runs).toBe(MOST_FIRST_ASKS);
    expect(sidecar.store.sent.filter((name) => name !== 'refresh')).toHaveLength(MOST_FIRST_ASKS);
  });

  it('is passed on where the policy refuses the call, and during the pause after a first try', async () => {
    const refusing: CallPolicy = { run: () => Promise.reject(new Error('open')) };
    const pausing: CallPolicy = {
      run: (send, signal) => send(signal).then(() => new Promise<never>(() => undefined)),
    };
    const asks = new FirstAsks(clock);
    for (const policy of [refusing, pausing]) {
      for (let index = 0; index < MOST_FIRST_ASKS; index += 1) {
        const run = asks.inTurn(policy).run(() => Promise.resolve(), new Cancellation());
        run.catch(() => undefined);
      }
    }
    await settlePromises();
    const last = asks.inTurn(plainPolicy).run(() => Promise.resolve('sent'), new Cancellation());
    expect(await last).toBe('sent');
  });
});

describe('the turn of a first ask', () => {
  const clock = new ManualClock();
  const never = () => new Promise<never>(() => undefined);
  let asks: FirstAsks;

  const run = <T>(send: () => Promise<T>, signal = new Cancellation()): Promise<T> =>
    asks.inTurn(plainPolicy).run(send, signal);

  beforeEach(() => {
    asks = new FirstAsks(clock);
    for (let index = 1; index < MOST_FIRST_ASKS; index += 1) void run(never);
  });

  it('comes in order of arrival, and is passed on by one that left', async () => {
    let end = (): void => undefined;
    const last = new Promise<void>((resolve) => (end = resolve));
    const began: string[] = [];
    const begin = (name: string, signal = new Cancellation()) =>
      run(async () => {
        began.push(name);
        await last;
      }, signal).catch(() => began.push(`${name} left`));
    const leaving = new Cancellation();
    void begin('a');
    void begin('b', leaving);
    void begin('c');
    await settlePromises();
    expect(began).toEqual(['a']);
    leaving.abort();
    end();
    await settlePromises();
    expect(began).toEqual(['a', 'b left', 'c']);
    expect(clock.timers).toBe(0);
  });

  it('is awaited for ten seconds', async () => {
    void run(never);
    const late = run(never).catch((error: unknown) => error);
    await clock.passGently(10_001);
    expect(await late).toMatchObject({ kind: 'unavailable', outcome: 'not-applied' });
  });

  it('is not awaited where the caller has gone before', async () => {
    void run(never);
    const gone = new Cancellation();
    gone.abort();
    await expect(run(never, gone)).rejects.toMatchObject({ outcome: 'not-applied' });
    expect(clock.timers).toBe(0);
  });

  it('needs one timer, however many wait for theirs', async () => {
    const ends = Array.from({ length: 1000 }, () => run(never).catch(() => 'not asked'));
    await settlePromises();
    expect(clock.timers).toBe(1);
    await clock.passGently(10_001);
    expect(new Set(await Promise.all(ends.slice(1)))).toEqual(new Set(['not asked']));
    expect(clock.timers).toBe(0);
  });
});
