/**
 * Signals to a call that its caller no longer waits. It is the part of AbortSignal that lock calls
 * need, so that a call can use either an AbortSignal or a {@link Cancellation}.
 */
export interface CancelSignal {
  readonly aborted: boolean;
  /** The reason of the abort, if one was given. */
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

const NONE: readonly (() => void)[] = [];

/**
 * A signal and its trigger in one object. Every call needs one, and few are ever aborted. An
 * AbortController takes several microseconds to create, and more to abort.
 */
export class Cancellation implements CancelSignal {
  #aborted = false;
  #reason: unknown;
  #listeners = NONE;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** Notifies every listener once. Later calls have no effect. */
  abort(reason?: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const listeners = this.#listeners;
    this.#listeners = NONE;
    for (const listener of listeners) listener();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    // As with an AbortSignal, a listener that is added after the abort is not called.
    if (this.#aborted) return;
    // Most have one, and concat makes no larger array than that: a spread has room for 17.
    this.#listeners = this.#listeners.concat(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    if (this.#listeners.length === 0) return;
    this.#listeners = this.#listeners.filter((known) => known !== listener);
  }
}
