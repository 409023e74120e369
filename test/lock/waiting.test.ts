import { Cancellation } from '../../src/base/cancellation';
import type { WaitReport } from '../../src/lock/lock-observer';
import type { AcquireRequest } from '../../src/lock/native-lock-service';
import { SidecarStoppingError } from '../../src/lock/native-lock-service';
import { LockServer } from '../support/lock-world/lock-server';
import { calmNetwork } from '../support/lock-world/remote-store';
import { keyOf, SimulatedSidecar } from '../support/lock-world/sidecar';
import { ManualClock } from '../support/manual-clock';

const KEY = keyOf('r');

describe('waiting for a lock', () => {
  let clock: ManualClock;
  let server: LockServer;
  let sidecar: SimulatedSidecar;
  let woken: number;
  const reports: WaitReport[] = [];

  const start = (options = {}): void => {
    clock = new ManualClock();
    clock.pass(1000);
    server = new LockServer(clock);
    woken = 0;
    const observer = {
      ended: () => undefined,
      waitEnded: (report: WaitReport) => reports.push(report),
      woken: () => (woken += 1),
    };
    sidecar = new SimulatedSidecar(server, clock, { observer, ...options });
  };

  const wait = (request: Partial<AcquireRequest> = {}, at = sidecar) => at.wait(request);
  const hold = () => sidecar.holdUntilReleased();
  const away = { passage: () => undefined, wakeMs: () => undefined };
  const noWakes = { ...calmNetwork, wakeMs: () => undefined };
  const deaf = {
    passage: () => ({ thereMs: 1, backMs: 1, lost: 'request' as const }),
    wakeMs: () => undefined,
  };

  beforeEach(() => {
    reports.length = 0;
    start();
  });

  afterEach(() => {
    expect(sidecar.store.violations).toEqual([]);
  });

  it('takes a free lock at once', async () => {
    const waiter = wait();
    await clock.passGently(5);
    expect(waiter.answer).toEqual(expect.objectContaining({ acquired: true }));
    expect(sidecar.store.sent).toEqual(['ask']);
  });

  it('is woken by a release, within a round trip, and served in the order of arrival', async () => {
    const release = await hold();
    const waiters = [wait({ ttlMs: 100 }), wait({ ttlMs: 100 }), wait({ ttlMs: 100 })];
    await clock.passGently(300);
    await release();
    expect(waiters.map(({ answer }) => answer?.acquired)).toEqual([true, undefined, undefined]);
    expect(woken).toBe(1);
    await clock.passGently(1200);
    const order = [...waiters].sort((a, b) => a.atMs - b.atMs);
    expect(order).toEqual(waiters);
    expect(waiters.every(({ answer }) => answer?.acquired)).toBe(true);
  });

  it('is served in order across sidecars', async () => {
    const other = new SimulatedSidecar(server, clock);
    const release = await hold();
    const first = wait({}, other);
    await clock.passGently(5);
    const second = wait();
    await clock.passGently(5);
    await release();
    expect([first.answer?.acquired, second.answer?.acquired]).toEqual([true, undefined]);
  });

  it('asks at the end of the lease that it was told of, without a wake-up', async () => {
    server.barge(KEY, 777);
    const waiter = wait();
    await clock.passGently(777 + 15);
    expect(waiter.answer?.acquired).toBe(true);
  });

  it('survives a lost wake-up by a look every 500 ms', async () => {
    const release = await hold();
    sidecar.store.network = noWakes;
    const waiter = wait();
    await clock.passGently(5);
    await release();
    await clock.passGently(505);
    expect(waiter.answer?.acquired).toBe(true);
  });

  it('asks again where it was woken during an ask', async () => {
    const release = await hold();
    const slow = { thereMs: 0.5, backMs: 300, lost: 'nothing' as const };
    sidecar.store.network = { ...calmNetwork, passage: () => slow };
    const waiter = wait();
    await clock.passGently(5);
    sidecar.store.network = calmNetwork;
    await release();
    expect(woken).toBe(1);
    await clock.passGently(300);
    expect(waiter.answer?.acquired).toBe(true);
  });

  it('cuts the ask that is under way when its caller leaves, and withdraws the ticket at once', async () => {
    sidecar.store.network = deaf;
    const waiter = wait();
    await clock.passGently(5);
    waiter.signal.abort();
    await clock.passGently(5);
    expect(sidecar.store.sent).toEqual(expect.arrayContaining(['ask', 'leave']));
  });

  it('is refreshed by one call for all keys', async () => {
    for (let index = 0; index < 50; index += 1) {
      server.barge(keyOf(`r${index}`), 60_000);
      wait({ resourceId: `r${index}` });
    }
    await clock.passGently(2100);
    expect(sidecar.store.sent.filter((sent) => sent === 'refresh')).toHaveLength(4);
    expect(server.ticketsOf(keyOf('r7'))).toHaveLength(1);
  });

  it('is refused when its time is over, and its ticket withdrawn', async () => {
    await hold();
    const waiter = wait({ waitMs: 1234 });
    await clock.passGently(1233);
    expect(waiter.answer).toBeUndefined();
    await clock.passGently(5);
    expect(waiter.answer).toEqual({
      acquired: false,
      holder: expect.objectContaining({ fencingToken: 1, resourceId: 'r' }) as object,
    });
    expect(server.ticketsOf(KEY)).toEqual([]);
    expect(reports).toEqual([
      expect.objectContaining({ storeName: 'store', outcome: 'over', waitedMs: 1234 }),
    ]);
  });

  it('is never granted after its time, however slow the answer: the grant is withdrawn', async () => {
    const slow = {
      ...calmNetwork,
      passage: () => ({ thereMs: 1, backMs: 200, lost: 'nothing' as const }),
    };
    sidecar.store.network = slow;
    const waiter = wait({ waitMs: 100 });
    await clock.passGently(1000);
    expect(waiter.answer?.acquired).toBe(false);
    expect(server.lockOf(KEY)).toBeUndefined();
  });

  it('does not wait for a last answer for more than 250 ms, and names its outcome unknown', async () => {
    sidecar.store.network = deaf;
    const waiter = wait({ waitMs: 100 });
    await clock.passGently(355);
    expect(waiter.error).toEqual(
      expect.objectContaining({ errorCode: 'ERR_LOCK_OUTCOME_UNKNOWN' }),
    );
    sidecar.store.network = calmNetwork;
    await clock.passGently(2000);
    expect(sidecar.store.open.size).toBe(0);
  });

  it.each([
    ['its caller leaves', undefined, 'ERR_LOCK_CANCELLED'],
    ['its transport stops', new SidecarStoppingError(), 'ERR_LOCK_STOPPING'],
  ])('ends when %s, and the next one leads', async (_what, reason, errorCode) => {
    const release = await hold();
    const [first, second] = [wait(), wait()];
    await clock.passGently(5);
    first.signal.abort(reason);
    await clock.passGently(5);
    expect(first.error).toEqual(expect.objectContaining({ errorCode }));
    expect(server.ticketsOf(KEY)).toHaveLength(1);
    await release();
    expect(second.answer?.acquired).toBe(true);
  });

  it('withdraws a grant whose caller left while the store answered', async () => {
    const waiter = wait();
    await clock.passGently(0.7);
    expect(server.lockOf(KEY)).toBeDefined();
    waiter.signal.abort();
    await clock.passGently(5);
    expect(server.lockOf(KEY)).toBeUndefined();
  });

  it('withdraws a grant whose caller leaves before the answer has reached the socket', async () => {
    const waiter = wait();
    await clock.passGently(5);
    waiter.signal.abort();
    await clock.passGently(5);
    expect(server.lockOf(KEY)).toBeUndefined();
  });

  it('asks nothing for a caller who has gone before', async () => {
    const signal = new Cancellation();
    signal.abort();
    const request = { storeName: 'store', resourceId: 'r', lockOwner: '', ttlMs: 100, waitMs: 100 };
    const call = sidecar.locks.acquire(request, sidecar.callerOf(signal));
    await expect(call).rejects.toMatchObject({ errorCode: 'ERR_LOCK_CANCELLED' });
    expect(sidecar.store.sent).toEqual([]);
  });

  it('ends when the sidecar stops: tickets are withdrawn', async () => {
    await hold();
    const waiter = wait();
    await clock.passGently(5);
    sidecar.locks.stop();
    await clock.passGently(5);
    expect(waiter.error).toEqual(expect.objectContaining({ errorCode: 'ERR_LOCK_STOPPING' }));
    expect(server.ticketsOf(KEY)).toEqual([]);
  });

  it('ends when its component is removed, and goes on when it is replaced', async () => {
    const release = await hold();
    const waiter = wait();
    await clock.passGently(5);
    const entry = sidecar.stores.find('store')!;
    sidecar.stores.add({ ...entry, store: new SimulatedSidecar(server, clock).store });
    await release();
    expect(waiter.answer?.acquired).toBe(true);
    const other = wait();
    await clock.passGently(5);
    sidecar.stores.remove('store');
    await clock.passGently(5);
    expect(other.error).toEqual(expect.objectContaining({ errorCode: 'ERR_LOCK_STORE_NOT_FOUND' }));
    expect(server.ticketsOf(KEY)).toEqual([]);
  });

  it('asks again after its ticket may have been dropped: heads first, and not all at once', async () => {
    const keys = ['r0', 'r1', 'r2'];
    for (const resourceId of keys) {
      server.barge(keyOf(resourceId), 600_000);
      for (let index = 0; index < 100; index += 1) wait({ resourceId, waitMs: 600_000 });
    }
    await clock.passGently(5);
    sidecar.store.network = away;
    await clock.passGently(8000);
    sidecar.store.network = calmNetwork;
    sidecar.store.asked.length = 0;
    const { asked } = sidecar.store;
    const most = { atOnce: 0 };
    let before = 0;
    await clock.passGently(3000, () => {
      most.atOnce = Math.max(most.atOnce, asked.length - before);
      before = asked.length;
    });
    expect(asked.slice(0, 3)).toEqual(keys.map(keyOf));
    expect(asked).toHaveLength(300);
    expect(most.atOnce).toBeLessThanOrEqual(100);
  });

  it('outlives an outage of the store', async () => {
    const release = await hold();
    const waiter = wait({ waitMs: 60_000 });
    await clock.passGently(5);
    sidecar.store.network = away;
    await clock.passGently(8000);
    sidecar.store.network = calmNetwork;
    await clock.passGently(1000);
    await release();
    expect(waiter.answer?.acquired).toBe(true);
  });

  it('may begin while the store is away', async () => {
    sidecar.store.network = away;
    const waiter = wait();
    await clock.passGently(3000);
    sidecar.store.network = calmNetwork;
    await clock.passGently(505);
    expect(waiter.answer?.acquired).toBe(true);
  });

  it('says that the store is away where it still is when its time is over', async () => {
    sidecar.store.network = away;
    const waiter = wait({ waitMs: 1000 });
    await clock.passGently(1001);
    expect(waiter.error).toEqual(
      expect.objectContaining({ errorCode: 'ERR_LOCK_STORE_UNAVAILABLE' }),
    );
  });

  it('queues again where the store lost its data', async () => {
    const waiters = [wait({ ttlMs: 50 }), wait(), wait()];
    await clock.passGently(5);
    server.loseData();
    server.barge(KEY, 1000);
    await clock.passGently(600);
    expect(server.ticketsOf(KEY)).toHaveLength(2);
    await clock.passGently(500);
    expect(waiters[1]!.answer?.acquired).toBe(true);
  });

  it('is refused beyond the bound, at once and with nothing done', async () => {
    start({ maxWaits: 1 });
    await hold();
    const [first, second] = [wait(), wait()];
    await clock.passGently(5);
    expect(second.error).toEqual(expect.objectContaining({ errorCode: 'ERR_LOCK_OVERLOADED' }));
    first.signal.abort();
    await clock.passGently(5);
    const third = wait();
    await clock.passGently(5);
    expect(third.error).toBeUndefined();
    expect(server.ticketsOf(KEY)).toHaveLength(1);
  });

  it('finds the head where the store has another order than they came in', async () => {
    const release = await hold();
    sidecar.store.network = {
      ...noWakes,
      passage: () => ({ thereMs: 300, backMs: 1, lost: 'nothing' }),
    };
    const first = wait({ waitMs: 60_000 });
    await clock.passGently(1);
    sidecar.store.network = noWakes;
    const second = sidecar.hold({ waitMs: 60_000, ttlMs: 60_000 });
    await clock.passGently(5);
    const third = wait({ waitMs: 60_000 });
    await clock.passGently(500);
    await release();
    await clock.passGently(505);
    expect(second.told).toEqual(['queued', 'held']);
    second.signal.abort();
    await clock.passGently(1010);
    expect(third.answer?.acquired).toBe(true);
    expect(first.answer).toBeUndefined();
  });

  it('asks for a free lock once at a time, not for each who waits', async () => {
    const other = new SimulatedSidecar(server, clock);
    await hold();
    const head = other.hold({ waitMs: 60_000 });
    await clock.passGently(5);
    for (let index = 0; index < 50; index += 1) wait({ waitMs: 60_000 });
    await clock.passGently(5);
    other.store.network = deaf;
    sidecar.store.sent.length = 0;
    server.release(KEY, 1);
    await clock.passGently(1000);
    expect(head.told).toEqual(['queued']);
    expect(sidecar.store.sent.filter((sent) => sent === 'ask')).toHaveLength(2);
  });

  it('has two timers for any number of waiters, and none when all have gone', async () => {
    server.barge(KEY, 60_000);
    const waiters = Array.from({ length: 300 }, () => wait());
    await clock.passGently(100);
    expect(clock.timers).toBe(2);
    for (const { signal } of waiters) signal.abort();
    await clock.passGently(5);
    expect(clock.timers).toBe(0);
    expect(server.ticketsOf(KEY)).toEqual([]);
  });

  it('tells a hold once how many come before it', async () => {
    const release = await hold();
    wait({ ttlMs: 100 });
    await clock.passGently(5);
    const held = sidecar.hold({ waitMs: 60_000 });
    await clock.passGently(2000);
    expect(held.events).toEqual([expect.objectContaining({ type: 'queued', ahead: 1 })]);
    await release();
    await clock.passGently(700);
    expect(held.told).toEqual(['queued', 'held']);
  });
});
