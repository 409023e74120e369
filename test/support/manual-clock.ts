import type { Clock, Timer } from '../../src/base/clock';

/** Time that passes when it is told to. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const due = { atMs: this.#nowMs + Math.max(0, delayMs), run };
    this.#timers.push(due);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((timer) => timer !== due);
      },
      unref: () => undefined,
    };
  }

  /** How many timers are running. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Lets time pass, and runs what is due on the way. */
  pass(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.atMs - b.atMs);
      if (next === undefined || next.atMs > untilMs) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = untilMs;
  }
}
