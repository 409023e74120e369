import { type Clock, processClock, type Timer } from '../base/clock';

/**
 * If the wall clock gains more than this on the monotonic clock between two readings, in
 * milliseconds, the machine was asleep. A smaller gain comes from rounding, or from NTP, which
 * corrects a clock by at most 0.5 ms per second.
 */
const LEAST_SLEEP_MS = 10;

/**
 * The two clocks are read one after the other. If another process ran in between, the difference
 * looks like a sleep, so they are read again. After so many tries the next call compares them.
 */
const MOST_READINGS = 5;

/**
 * The clock that leases are measured by. CLOCK_MONOTONIC stops while a machine is suspended, but a
 * lease does not. Therefore each reading compares the wall clock with the monotonic clock, and
 * counts a jump ahead as time that has passed. A wall clock that was merely set ahead ends a lease
 * early, which is safe.
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
    return this.#look() + this.#asleepMs;
  }

  /**
   * The offset of this clock from the monotonic clock, in milliseconds. Read it before the call
   * whose answer contains a monotonic time: if the machine sleeps in between, that time counts
   * towards the lease.
   */
  asleepMs(): number {
    this.#look();
    return this.#asleepMs;
  }

  /** The offset of this clock added to a time of the monotonic clock, as of now. */
  fromMonotonic(monotonicMs: number): number {
    return monotonicMs + this.asleepMs();
  }

  /**
   * When the monotonic clock will show a time of this clock if the machine does not sleep again.
   * Callers are told by it how long a lease lasts: their own clocks may stop while they sleep, so a
   * sleep before their lease began must not make it longer.
   */
  toMonotonic(leaseMs: number): number {
    return leaseMs - this.asleepMs();
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#clock.after(delayMs, run);
  }

  /** Compares the two clocks, and returns the monotonic time. */
  #look(): number {
    let monotonicMs = this.#clock.now();
    for (let tries = 0; tries < MOST_READINGS; tries += 1) {
      const aheadMs = this.#wallNow() - monotonicMs;
      const readAtMs = monotonicMs;
      monotonicMs = this.#clock.now();
      if (monotonicMs - readAtMs > LEAST_SLEEP_MS / 2) continue;
      this.#compare(aheadMs);
      break;
    }
    return monotonicMs;
  }

  #compare(aheadMs: number): void {
    const jumpMs = aheadMs - this.#aheadMs;
    this.#aheadMs = aheadMs;
    if (jumpMs > LEAST_SLEEP_MS) this.#asleepMs += jumpMs;
  }
}
