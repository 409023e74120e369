import type { Timer } from '../../src/base/clock';
import { Cancellation } from '../../src/base/cancellation';
import { createAttempt } from '../../src/lock/attempt';
import { LeaseClock } from '../../src/lock/lease-clock';
import { StoreError } from '../../src/lock/lock-store';
import { type LockQueue, type QueueListener, waitOver } from '../../src/lock/store-abilities';
import { FirstAsks, MOST_FIRST_ASKS } from '../../src/lock/waiting/first-asks';
import { StoreWaiters } from '../../src/lock/waiting/store-waiters';
import { Waiter, type WaitRequest, type WaitResult } from '../../src/lock/waiting/waiter';
import { createFakeStore } from '../support/fake-lock-store';
import { ManualClock } from '../support/manual-clock';

const ignore = (): void => undefined;

/** A queue of a store that answers nothing. */
class SilentQueue implements LockQueue {
  readonly refreshEveryMs = 500;
  asks = 0;
  listener: QueueListener | undefined;

  listen(listener: QueueListener): void {
    this.listener = listener;
  }

  ask(): Promise<never> {
    this.asks += 1;
    return new Promise<never>(ignore);
  }

  readonly refresh = (): Promise<readonly string[]> => Promise.resolve([]);
  readonly leave = (): Promise<void> => Promise.resolve();
}

/** A clock on which a timer that is always due is found, instead of standing still for ever. */
class BoundedClock extends ManualClock {
  #timersSet = 0;

  override after(delayMs: number, run: () => void): Timer {
    this.#timersSet += 1;
    if (this.#timersSet > 1000) throw new Error('a timer is due again and again');
    return super.after(delayMs, run);
  }
}

/** A queue of a store that is away. */
class UnavailableQueue extends SilentQueue {
  override ask(): Promise<never> {
    this.asks += 1;
    return Promise.reject(
      new StoreError('the store is away', { kind: 'unavailable', outcome: 'not-applied' }),
    );
  }
}

/** A queue in which a waiter stands, and which has no time left for its last ask. */
class EndingQueue extends SilentQueue {
  override ask(): Promise<never> {
    this.asks += 1;
    if (this.asks > 1) return Promise.reject(waitOver());
    return Promise.resolve({ state: 'queued', ahead: 0, freeAtMs: 59_999.5 }) as Promise<never>;
  }
}

function enterWaiters(
  queue: LockQueue,
  clock: ManualClock,
  { count, settle = ignore }: { readonly count: number; readonly settle?: Waiter['settle'] },
): void {
  const leaseClock = new LeaseClock(clock, () => clock.now());
  const listener = { woken: ignore, queued: ignore, settled: ignore, done: ignore };
  const waiters = new StoreWaiters(
    queue,
    { clock: leaseClock, firstAsks: new FirstAsks(leaseClock) },
    listener,
  );
  const toRequest = (key: string): WaitRequest => ({
    storeName: 'store',
    store: createFakeStore(),
    queue,
    policy: { run: (send, signal) => send(signal) },
    call: { key, owner: 'a', ttlMs: 1000, attempt: createAttempt(), waitUntilMs: 60_000 },
    signal: new Cancellation(),
    observers: [],
  });
  const times = { startedAtMs: 0, deadlineMs: 60_000, settle, onAbort: ignore };
  for (let i = 0; i < count; i += 1) waiters.enter(new Waiter(toRequest(`k${i}`), times));
}

it('lets waiters ask a store that is away one after another, 2,000 a second', async () => {
  const clock = new ManualClock();
  const queue = new UnavailableQueue();
  enterWaiters(queue, clock, { count: 3000 });
  const asksIn = async (ms: number): Promise<number> => {
    const before = queue.asks;
    await clock.passGently(ms);
    return queue.asks - before;
  };
  // The first asks go in turns, which take no time here.
  expect(await asksIn(0)).toBeGreaterThan(0);
  expect(await asksIn(490)).toBe(0);
  expect(await asksIn(500)).toBeLessThanOrEqual(1000);
  expect(await asksIn(500)).toBeGreaterThan(900);
  expect(await asksIn(500)).toBeLessThanOrEqual(1001);
});

it('does nothing for a waiter whose ask is in progress when its turn after a lapse comes', async () => {
  const clock = new BoundedClock();
  const queue = new SilentQueue();
  enterWaiters(queue, clock, { count: 300 });
  queue.listener?.lapsed();
  await clock.passGently(2000);
  expect(queue.asks).toBe(MOST_FIRST_ASKS);
});

it('ends a wait for which there was no time to ask again as one that is over, not as a failure', async () => {
  const clock = new ManualClock();
  const queue = new EndingQueue();
  const results: WaitResult[] = [];
  const settle = (result: WaitResult): void => void results.push(result);
  enterWaiters(queue, clock, { count: 1, settle });
  await clock.passGently(61_000);
  expect(queue.asks).toBeGreaterThan(1);
  expect(results).toEqual([{ state: 'over' }]);
});
