/**
 * A limit for bytes that are held at a time, for one connection and, with a parent, for all of
 * them. Taken bytes must be given back.
 */
export class ByteBudget {
  /** The limit. Infinity for none. */
  readonly bytes: number;
  readonly #parent: ByteBudget | undefined;
  #taken = 0;

  constructor(bytes: number, parent?: ByteBudget) {
    this.bytes = bytes;
    this.#parent = parent;
  }

  /** Takes bytes. Returns false and takes nothing if they exceed the limit. */
  take(count: number): boolean {
    if (this.#taken + count > this.bytes) return false;
    if (this.#parent?.take(count) === false) return false;
    this.#taken += count;
    return true;
  }

  /** Gives taken bytes back. */
  give(count: number): void {
    this.#taken -= count;
    this.#parent?.give(count);
  }
}

/**
 * The bytes that one call has taken of a {@link ByteBudget}. They are given back together. After
 * that it takes no more, because a message may still be in another thread (zlib's) when its call
 * ends.
 */
export class ByteAccount {
  readonly #budget: ByteBudget;
  #held = 0;
  #isSettled = false;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** Takes bytes. Returns false if the budget is exhausted, or the call has ended. */
  take(count: number): boolean {
    if (this.#isSettled || !this.#budget.take(count)) return false;
    this.#held += count;
    return true;
  }

  /** Gives everything back. Later calls do nothing. */
  settle(): void {
    this.#isSettled = true;
    this.#budget.give(this.#held);
    this.#held = 0;
  }
}
