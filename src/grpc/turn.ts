/** Tells turns of the event loop apart: what happens in one of them happens while nobody else is served. */
export class Turn {
  #number = 1;
  #isAwaited = false;

  /** The number of this turn. */
  get number(): number {
    if (!this.#isAwaited) {
      this.#isAwaited = true;
      setImmediate(() => {
        this.#isAwaited = false;
        this.#number += 1;
      });
    }
    return this.#number;
  }
}
