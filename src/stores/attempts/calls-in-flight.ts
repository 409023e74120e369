import type { Clock } from '../../base/clock';
import { StoreError } from '../../lock/lock-store';

/** The calls that a store has not answered yet; once it is closed it takes no more. */
export class CallsInFlight {
  readonly #clock: Clock;
  #count = 0;
  #isClosed = false;
  #onIdle: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /**
   * Counts a call in; {@link CallsInFlight.leave} is due.
   *
   * @throws {StoreError} of kind `closed` after {@link CallsInFlight.close}
   */
  enter(): void {
    if (this.#isClosed) {
      throw new StoreError('the store is closed', { kind: 'closed', outcome: 'not-applied' });
    }
    this.#count += 1;
  }

  /** Counts a call out. */
  leave(): void {
    this.#count -= 1;
    // After what the caller does next: withdraw.
    if (this.#count === 0 && this.#onIdle !== undefined) this.#clock.after(0, this.#onIdle);
  }

  /** Takes no more. */
  close(): void {
    this.#isClosed = true;
  }

  /** Resolves when none is left. */
  async whenIdle(): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }
}
