/**
 * How many lock calls may be under way at a time, across all stores. A call beyond that is refused
 * before anything is done for it: one that waited for its turn would be answered when its caller has
 * given up, and each that waits takes memory.
 */
export class Admission {
  /** The most calls under way; Infinity for no bound. */
  readonly bound: number;
  #underWay = 0;
  #nextTurn: Promise<void> | undefined;

  constructor(bound: number) {
    this.bound = bound;
  }

  /** True where a call may go on; {@link leave} is then due once it has ended, however it did. */
  enter(): boolean {
    if (this.#underWay >= this.bound) return false;
    this.#underWay += 1;
    return true;
  }

  /** A call that was let in has ended. */
  leave(): void {
    this.#underWay -= 1;
  }

  /**
   * Resolves in the next turn of the event loop; that is when a call is told that it was refused. A
   * client that calls again at once would otherwise be read, refused and read again within one turn,
   * and replies of the store would wait unread until their time-out.
   */
  nextTurn(): Promise<void> {
    this.#nextTurn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#nextTurn = undefined;
        resolve();
      });
    });
    return this.#nextTurn;
  }
}
