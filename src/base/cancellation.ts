/**
 * Tells a call that nobody waits for its answer any more. Every AbortSignal is one; this is the part
 * of it that lock calls need, so that a call can also be given a {@link Cancellation}.
 */
export interface CancelSignal {
  readonly aborted: boolean;
  /** Why, where somebody said so. */
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * A signal and its trigger in one. Every call needs one and hardly any is ever aborted: an
 * AbortController costs several microseconds to make, and more to abort.
 */
export class Cancellation implements CancelSignal {
  #aborted = false;
  #reason: unknown;
  #listeners: readonly (() => void)[] = [];

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** Tells every listener, once; a second time has no effect. */
  abort(reason?: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    // As with an AbortSignal: one that comes too late is not told.
    if (!this.#aborted) this.#listeners = [...this.#listeners, listener];
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    if (this.#listeners.length === 0) return;
    this.#listeners = this.#listeners.filter((known) => known !== listener);
  }
}
