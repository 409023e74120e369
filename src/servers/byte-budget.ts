/**
 * How many bytes may be held at a time, of one connection and with its parent of all of them. What is
 * taken has to be given back.
 */
export class ByteBudget {
  /** The most that may be taken; Infinity for no bound. */
  readonly bytes: number;
  readonly #parent: ByteBudget | undefined;
  #taken = 0;

  constructor(bytes: number, parent?: ByteBudget) {
    this.bytes = bytes;
    this.#parent = parent;
  }

  /** False where so many bytes are too many; nothing is taken then. */
  take(count: number): boolean {
    if (this.#taken + count > this.bytes) return false;
    if (this.#parent?.take(count) === false) return false;
    this.#taken += count;
    return true;
  }

  /** Gives back what was taken. */
  give(count: number): void {
    this.#taken -= count;
    this.#parent?.give(count);
  }
}

/**
 * What one call has taken of a {@link ByteBudget}; it is given back as a whole. After that it takes nothing:
 * a message may still be on its way through another thread (zlib's) when its call ends.
 */
export class ByteAccount {
  readonly #budget: ByteBudget;
  #held = 0;
  #isSettled = false;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** False where the budget has no more, or the call has ended. */
  take(count: number): boolean {
    if (this.#isSettled || !this.#budget.take(count)) return false;
    this.#held += count;
    return true;
  }

  /** Gives everything back, once and for all. */
  settle(): void {
    this.#isSettled = true;
    this.#budget.give(this.#held);
    this.#held = 0;
  }
}
