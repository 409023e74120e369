/** How long tasks may run before everybody else has a turn of the event loop, in milliseconds. */
const SLICE_MS = 2;

/**
 * Runs tasks that one caller can have many of (the next request of those that it sent at once, a
 * long body) in order, a slice of time in each turn of the event loop: between two slices others
 * are accepted, read and answered. A task is not cut short: it is to take a few milliseconds at most.
 */
export class Turns {
  #tasks: (() => void)[] = [];
  #isWaiting = false;

  /** Runs a task in one of the next turns. It must not throw. */
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
