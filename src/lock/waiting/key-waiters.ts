import type { Waiter } from './waiter';

/** Who waits for one lock in this process, in the order in which they came. */
export class KeyWaiters {
  readonly #waiters = new Set<Waiter>();
  /** The one that the store last said leads. */
  #head: Waiter | undefined;
  /** How many looks in a row found the lock free after an ask that could not take it. */
  #misses = 0;

  get size(): number {
    return this.#waiters.size;
  }

  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
  }

  delete(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    this.#misses = 0;
    if (this.#head === waiter) this.#head = undefined;
  }

  /** Takes note of where a ticket stands. */
  stands(waiter: Waiter, ahead: number): void {
    if (ahead === 0) this.#head = waiter;
    else if (this.#head === waiter) this.#head = undefined;
  }

  /** The lock was held at the last look. */
  wasHeld(): void {
    this.#misses = 0;
  }

  /**
   * Whose ask may take the lock that was found free: the one that leads as far as is known. That is nearly always
   * the first; where an ask's reply was lost the store may have another order, and so each look that follows upon a
   * miss takes the next one. Otherwise the one that leads in truth might never be asked for.
   */
  takeCandidate(): Waiter | undefined {
    if (this.#head !== undefined) return this.#head;
    let left = this.#misses % Math.max(1, this.#waiters.size);
    this.#misses += 1;
    for (const waiter of this.#waiters) {
      if (left === 0) return waiter;
      left -= 1;
    }
    return undefined;
  }

  [Symbol.iterator](): IterableIterator<Waiter> {
    return this.#waiters.values();
  }
}
