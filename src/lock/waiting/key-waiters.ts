import type { Waiter } from './waiter';

/** The waiters for one lock in this process, in order of arrival. */
export class KeyWaiters {
  readonly #waiters = new Set<Waiter>();
  /** See {@link KeyWaiters.leader}. */
  #head: Waiter | undefined;
  /** How many refreshes in a row found the lock free although an ask could not take it. */
  #misses = 0;

  get size(): number {
    return this.#waiters.size;
  }

  /** The waiter that leads, according to the store's last answer. Undefined if that is not known. */
  get leader(): Waiter | undefined {
    return this.#head;
  }

  /** The waiter that leads, as far as is known. */
  get head(): Waiter | undefined {
    const [first] = this.#waiters;
    return this.#head ?? first;
  }

  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
  }

  delete(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    this.#misses = 0;
    if (this.#head === waiter) this.#head = undefined;
  }

  /** Records the place of a ticket. */
  stands(waiter: Waiter, ahead: number): void {
    if (ahead === 0) this.#head = waiter;
    else if (this.#head === waiter) this.#head = undefined;
  }

  /** Records that the lock was held at the last refresh. */
  wasHeld(): void {
    this.#misses = 0;
  }

  /**
   * The waiter that should ask for a lock that was found free: the one that leads, as far as this
   * process knows. That is nearly always the first. After a lost reply, the store may have another
   * order. Therefore each miss in a row selects the next waiter, so that the real leader is asked
   * for in the end.
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

/** The waiters of all keys, in the order in which they should ask: only a head can get its lock. */
export function headsFirst(keys: Iterable<KeyWaiters>): readonly Waiter[] {
  const [heads, others]: [Waiter[], Waiter[]] = [[], []];
  for (const waiters of keys) {
    const { head } = waiters;
    for (const waiter of waiters) (waiter === head ? heads : others).push(waiter);
  }
  return [...heads, ...others];
}
