/** How long tasks may run before the next turn of the event loop, in milliseconds. */
const SLICE_MS = 2;

/**
 * Runs tasks in order, for a slice of time in each turn of the event loop. It is for tasks of which
 * one caller can have many (pipelined requests, a long body): between two slices, other callers are
 * served. A task is not interrupted, so it should take a few milliseconds at most.
 */
export class Turns {
  #tasks: (() => void)[] = [];
  #isWaiting = false;

  /** Runs a task in one of the next turns. The task must not throw. */
  add(task: () => void): void {
    this.#tasks.push(task);
    this.#wait();
  }

  #wait(): void {
    if (this.#isWaiting || this.#tasks.length === 0) return;
    this.#isWaiting = true;
    setImmediate(() => {
      this.#isWaiting = false;
      this.#runSlice();
      this.#wait();
    });
  }

  #runSlice(): void {
    const until = performance.now() + SLICE_MS;
    do this.#tasks.shift()?.();
    while (this.#tasks.length > 0 && performance.now() < until);
  }
}
