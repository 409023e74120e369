/**
 * Limits the number of concurrent lock calls, across all stores. A call above the limit is refused
 * before anything is done for it. If it waited for its turn instead, its caller would have given up
 * by the time of the answer, and every waiting call takes memory.
 */
export class Admission {
  /** The highest number of concurrent calls; Infinity for no limit. */
  readonly bound: number;
  #underWay = 0;
  #nextTurn: Promise<void> | undefined;

  constructor(bound: number) {
    this.bound = bound;
  }

  /** True if the call may proceed. Call {@link leave} when it has ended, in whatever way. */
  enter(): boolean {
    if (this.#underWay >= this.bound) return false;
    this.#underWay += 1;
    return true;
  }

  /** Records the end of a call that was admitted. */
  leave(): void {
    this.#underWay -= 1;
  }

  /**
   * Resolves in the next turn of the event loop. Await it before a refusal is answered. Otherwise a
   * client that calls again at once would be read, refused and read again within one turn, and
   * replies of the store would stay unread until they time out.
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
