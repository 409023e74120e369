import { type Clock, processClock, type Timer } from '../base/clock';

/**
 * A wall clock that runs ahead of the monotonic one by more than this between two looks, in milliseconds, stands for
 * time asleep. Less is what NTP does to a clock that is wrong by a little (at most 0.5 ms a second), and rounding.
 */
const LEAST_SLEEP_MS = 10;

/**
 * The clock that leases are counted by. CLOCK_MONOTONIC stands still while a machine is suspended, and a lease
 * doesn't: so the wall clock is compared with it at every look, and a jump ahead counts as time that has passed. Of the two
 * ends that a lease then has the earlier one counts; a wall clock that was merely set ahead ends a lease early, which is safe.
 *
 * Its readings are {@link Clock.now} of the monotonic clock plus {@link LeaseClock.asleepMs}.
 */
export class LeaseClock implements Clock {
  readonly #clock: Clock;
  readonly #wallNow: () => number;
  #aheadMs: number;
  #asleepMs = 0;

  /** @param wallNow the wall clock, in milliseconds */
  constructor(clock: Clock = processClock, wallNow: () => number = Date.now) {
    this.#clock = clock;
    this.#wallNow = wallNow;
    this.#aheadMs = wallNow() - clock.now();
  }

  now(): number {
    const monotonicMs = this.#clock.now();
    this.#look(monotonicMs);
    return monotonicMs + this.#asleepMs;
  }

  /**
   * What to add to a moment of the monotonic clock, in milliseconds. To be taken before the call whose answer has that
   * moment: a sleep between the two is time of its lease.
   */
  asleepMs(): number {
    this.#look(this.#clock.now());
    return this.#asleepMs;
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#clock.after(delayMs, run);
  }

  #look(monotonicMs: number): void {
    const aheadMs = this.#wallNow() - monotonicMs;
    const jumpMs = aheadMs - this.#aheadMs;
    this.#aheadMs = aheadMs;
    if (jumpMs > LEAST_SLEEP_MS) this.#asleepMs += jumpMs;
  }
}
