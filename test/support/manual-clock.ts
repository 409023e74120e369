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

  /** Lets time pass as {@link ManualClock.pass} does, and promises settle before and after each thing that is due. */
  async passGently(ms: number, afterEach: () => void = () => undefined): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settlePromises();
    for (let next = this.#nextAtMs(); next <= untilMs; next = this.#nextAtMs()) {
      this.pass(Math.max(0, next - this.#nowMs));
      await settlePromises();
      afterEach();
    }
    this.#nowMs = untilMs;
  }

  #runNext(untilMs: number): boolean {
    const [next] = [...this.#timers].sort((a, b) => a.atMs - b.atMs);
    if (next === undefined || next.atMs > untilMs) return false;
    this.#timers = this.#timers.filter((timer) => timer !== next);
    this.#nowMs = next.atMs;
    next.run();
    return true;
  }

  #nextAtMs(): number {
    return this.#timers.reduce((earliest, { atMs }) => Math.min(earliest, atMs), Infinity);
  }
}

/** Every promise that can settle has settled, and what waited for it has run. */
export function settlePromises(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
