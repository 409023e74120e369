import type { Clock } from '../../base/clock';
import { StoreError } from '../../lock/lock-store';

/** Counts the calls that a store has not answered yet. Once closed, it accepts no more. */
export class CallsInFlight {
  readonly #clock: Clock;
  #count = 0;
  #isClosed = false;
  #onIdle: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The number of calls in flight. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds a call. Call {@link CallsInFlight.leave} when it ends.
   *
   * @throws {StoreError} of kind `closed` after {@link CallsInFlight.close}
   */
  enter(): void {
    if (this.#isClosed) {
      throw new StoreError('the store is closed', { kind: 'closed', outcome: 'not-applied' });
    }
    this.#count += 1;
  }

  /** Removes a call. */
  leave(): void {
    this.#count -= 1;
    // Delayed, because the caller may still withdraw the attempt.
    if (this.#count === 0 && this.#onIdle !== undefined) this.#clock.after(0, this.#onIdle);
  }

  /** Accepts no more calls. */
  close(): void {
    this.#isClosed = true;
  }

  /** Resolves when no call is in flight. */
  async whenIdle(): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }
}
