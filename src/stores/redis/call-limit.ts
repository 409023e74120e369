import type { CancelSignal } from '../../base/cancellation';
import { toEndReason } from '../../lock/call-policy';

/** What ended a call's time: its own limit, or the caller, who has gone. */
export type LimitReason = 'timeout' | 'gone';

/** The call's time was over before what it waited for had come. Nothing is known of that. */
export class TimeOverError extends Error {
  override readonly name = 'TimeOverError';
  readonly reason: LimitReason;

  constructor(reason: LimitReason) {
    super(`the time is over: ${reason}`);
    this.reason = reason;
  }
}

/** The time that a call has: over after so many milliseconds, or when its caller goes. */
export class CallLimit {
  readonly timeoutMs: number;
  /** When it is over at the latest, on the clock of `performance.now()`. */
  readonly endsAtMs: number;
  readonly #signal: CancelSignal;
  readonly #timer: NodeJS.Timeout;
  #over: LimitReason | undefined;
  #onOver: ((reason: LimitReason) => void) | undefined;

  /** Starts it; {@link CallLimit.clear} is due. */
  constructor(options: { readonly timeoutMs: number; readonly signal: CancelSignal }) {
    this.timeoutMs = Math.max(1, Math.round(options.timeoutMs));
    this.endsAtMs = performance.now() + this.timeoutMs;
    this.#signal = options.signal;
    this.#timer = setTimeout(endByTimer, this.timeoutMs, this);
    this.#signal.addEventListener('abort', this.#onAbort);
  }

  /** Why the caller has gone. */
  get goneReason(): string {
    return toEndReason(this.#signal);
  }

  /**
   * What something comes to, or rejects with {@link TimeOverError} where the time is over first. One
   * thing at a time.
   */
  wait<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (reason: LimitReason): void => {
        reject(new TimeOverError(reason));
      };
      if (this.#over !== undefined) end(this.#over);
      this.#onOver = end;
      work.then(resolve, reject);
    });
  }

  /** Ends it as the timer does. */
  end(reason: LimitReason): void {
    this.#over ??= reason;
    this.#onOver?.(reason);
  }

  /** Gives timer and listener back. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#onOver = undefined;
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.end('gone');
  };
}

function endByTimer(limit: CallLimit): void {
  limit.end('timeout');
}
