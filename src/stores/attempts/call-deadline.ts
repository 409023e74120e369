import type { CancelSignal } from '../../base/cancellation';
import type { Clock, Timer } from '../../base/clock';
import { toEndReason } from '../../lock/call-policy';

/** What ended a call's time: its own limit, or the caller, who has gone. */
export type TimeOverReason = 'timeout' | 'gone';

/** The call's time was over before what it waited for had come. Nothing is known of that. */
export class TimeOverError extends Error {
  override readonly name = 'TimeOverError';
  readonly reason: TimeOverReason;

  constructor(reason: TimeOverReason) {
    super(`the time is over: ${reason}`);
    this.reason = reason;
  }
}

/** The time that a call has: over after so many milliseconds, or when its caller goes. */
export class CallDeadline {
  readonly timeoutMs: number;
  /** When it is over at the latest, on the clock given. */
  readonly endsAtMs: number;
  readonly clock: Clock;
  readonly #signal: CancelSignal;
  readonly #timer: Timer;
  #over: TimeOverReason | undefined;
  #onOver: ((reason: TimeOverReason) => void) | undefined;

  /** Starts it; {@link CallDeadline.clear} is due. */
  constructor(options: {
    readonly timeoutMs: number;
    readonly signal: CancelSignal;
    readonly clock: Clock;
  }) {
    this.timeoutMs = Math.max(1, Math.round(options.timeoutMs));
    this.clock = options.clock;
    this.endsAtMs = this.clock.now() + this.timeoutMs;
    this.#signal = options.signal;
    this.#timer = this.clock.after(this.timeoutMs, this.#end);
    this.#signal.addEventListener('abort', this.#end);
  }

  /** Why the caller is no longer waiting. */
  get goneReason(): string {
    return toEndReason(this.#signal);
  }

  /**
   * What something comes to, or rejects with {@link TimeOverError} where the time is over first. One
   * thing at a time.
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

  /** Gives timer and listener back. */
  clear(): void {
    this.#timer.close();
    this.#onOver = undefined;
    this.#signal.removeEventListener('abort', this.#end);
  }

  /** One function for timer and listener: every call has both. */
  readonly #end = (): void => {
    this.#over ??= this.#signal.aborted ? 'gone' : 'timeout';
    this.#onOver?.(this.#over);
  };
}
