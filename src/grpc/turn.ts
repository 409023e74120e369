/**
 * Numbers the turns of the event loop. No other client is served between two events of the same
 * turn.
 */
export class Turn {
  #number = 1;
  #isAwaited = false;

  /** The number of the current turn. */
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
