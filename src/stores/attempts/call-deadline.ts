import type { CancelSignal } from '../../base/cancellation';
import type { Clock, Timer } from '../../base/clock';
import { toEndReason } from '../../lock/call-policy';

/** Why a call's time is over: it reached its limit, or its caller has disconnected. */
export type TimeOverReason = 'timeout' | 'gone';

/** The call's time was over before the awaited result arrived. The result is unknown. */
export class TimeOverError extends Error {
  override readonly name = 'TimeOverError';
  readonly reason: TimeOverReason;

  constructor(reason: TimeOverReason) {
    super(`the time is over: ${reason}`);
    this.reason = reason;
  }
}

/**
 * The time of a call. It is over after a number of milliseconds, or when the caller disconnects.
 *
 * When the number of milliseconds has passed, what has arrived is read once more. The event loop may
 * have been busy for seconds, and then it runs its timers before it reads: without this, a reply that
 * had been there in time would be given up, with all calls on its link.
 */
export class CallDeadline {
  readonly timeoutMs: number;
  /** The end of the time limit, on the given clock, in milliseconds. */
  readonly endsAtMs: number;
  /**
   * How long a reply may take. A call may have less time; that says nothing about the link, which
   * other calls use too.
   */
  readonly silentAfterMs: number;
  readonly clock: Clock;
  readonly #signal: CancelSignal;
  #timer: Timer;
  #isReadOnceMore = false;
  #over: TimeOverReason | undefined;
  #onOver: ((reason: TimeOverReason) => void) | undefined;

  /** Starts the timer. Call {@link CallDeadline.clear} afterwards. */
  constructor(options: {
    readonly timeoutMs: number;
    /** Default: `timeoutMs`. Never less than that. */
    readonly silentAfterMs?: number;
    readonly signal: CancelSignal;
    readonly clock: Clock;
  }) {
    this.timeoutMs = Math.max(1, Math.round(options.timeoutMs));
    this.silentAfterMs = Math.max(this.timeoutMs, options.silentAfterMs ?? 0);
    this.clock = options.clock;
    this.endsAtMs = this.clock.now() + this.timeoutMs;
    this.#signal = options.signal;
    this.#timer = this.clock.after(this.timeoutMs, this.#end);
    this.#signal.addEventListener('abort', this.#end);
  }

  /** When a link that has not replied since this began is silent, on the given clock. */
  get silentAtMs(): number {
    return this.endsAtMs - this.timeoutMs + this.silentAfterMs;
  }

  /** Why the caller no longer waits. */
  get goneReason(): string {
    return toEndReason(this.#signal);
  }

  /**
   * Waits for a result. Rejects with {@link TimeOverError} if the time is over first. Only one wait
   * at a time.
   */
  wait<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (reason: TimeOverReason): void => {
        reject(new TimeOverError(reason));
      };
      if (this.#over !== undefined) end(this.#over);
      this.#onOver = end;
      work.then(resolve, reject);
    });
  }

  /** Removes the timer and the listener. */
  clear(): void {
    this.#timer.close();
    this.#onOver = undefined;
    this.#signal.removeEventListener('abort', this.#end);
  }

  /** The same function for timer and listener, because every call has both. */
  readonly #end = (): void => {
    if (!this.#signal.aborted && !this.#isReadOnceMore) {
      this.#isReadOnceMore = true;
      this.#timer = this.clock.after(0, this.#end);
      return;
    }
    this.#over ??= this.#signal.aborted ? 'gone' : 'timeout';
    this.#onOver?.(this.#over);
  };
}
