import { setImmediate as turn } from 'node:timers/promises';

import type { Clock, Timer } from '../../src/base/clock';

/** Time that passes when it is told to. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), run };
    this.#timers.push(timer);
    return {
      close: () => {
        this.#timers = this.#timers.filter((each) => each !== timer);
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
    while (this.#runNext(untilMs));
    this.#nowMs = untilMs;
  }

  /** As {@link ManualClock.pass}; what was promised meanwhile comes true before time goes on. */
  async passSlowly(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    do await turn();
    while (this.#runNext(untilMs));
    this.#nowMs = untilMs;
    await turn();
  }

  #runNext(untilMs: number): boolean {
    const [next] = [...this.#timers].sort((a, b) => a.atMs - b.atMs);
    if (next === undefined || next.atMs > untilMs) return false;
    this.#timers = this.#timers.filter((timer) => timer !== next);
    this.#nowMs = next.atMs;
    next.run();
    return true;
  }
}
