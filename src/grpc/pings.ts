import { type Clock, processClock, type Timer } from '../base/clock';

/** The part of a session that is used here. */
export interface PingedSession {
  readonly destroyed: boolean;
  ping(answered: (error: Error | null, durationMs: number, payload: Buffer) => void): boolean;
}

/** Intervals are whole seconds up to this one, so that the shortest of thousands is found at once. */
const LONGEST_INTERVAL_S = 20;

/**
 * Asks the client of one connection for signs of life with HTTP/2 PINGs (RFC 9113, 6.7), for its
 * streams that want them. One timer and at most one PING are on their way, however many streams want
 * them: the shortest interval counts.
 *
 * A PING that is unanswered when the next one is due is missed. The client counts as silent until
 * it answers; a client that was only stopped for a while then goes on.
 */
export class Pings {
  readonly #session: PingedSession;
  readonly #clock: Clock;
  /** How many streams want an interval of so many seconds. */
  readonly #wanted = new Array<number>(LONGEST_INTERVAL_S + 1).fill(0);
  #timer: Timer | undefined;
  #intervalS = Infinity;
  #isAwaited = false;
  #isAnswering = true;

  constructor(session: PingedSession, clock: Clock = processClock) {
    this.#session = session;
    this.#clock = clock;
  }

  /** False while a PING is missed. */
  get isAnswering(): boolean {
    return this.#isAnswering;
  }

  /**
   * Sends PINGs for one more stream.
   *
   * @param everyMs the interval, cut to whole seconds from 1 to 20
   * @returns the interval in seconds, for {@link unwant}
   */
  want(everyMs: number): number {
    const intervalS = Math.min(LONGEST_INTERVAL_S, Math.max(1, Math.floor(everyMs / 1000)));
    this.#change(intervalS, 1);
    if (intervalS < this.#intervalS) this.#schedule();
    return intervalS;
  }

  /** Sends PINGs for one stream less. Call this once for each stream. */
  unwant(intervalS: number): void {
    this.#change(intervalS, -1);
    if (this.#shortestS() === undefined) this.#stop();
  }

  #change(intervalS: number, by: 1 | -1): void {
    this.#wanted[intervalS] = (this.#wanted[intervalS] ?? 0) + by;
  }

  #shortestS(): number | undefined {
    const shortestS = this.#wanted.findIndex((streams) => streams > 0);
    return shortestS === -1 ? undefined : shortestS;
  }

  #schedule(): void {
    this.#stop();
    const intervalS = this.#shortestS();
    if (intervalS === undefined) return;
    this.#intervalS = intervalS;
    this.#timer = this.#clock.after(intervalS * 1000, () => {
      this.#due();
    });
    this.#timer.unref();
  }

  #stop(): void {
    this.#timer?.close();
    this.#timer = undefined;
    this.#intervalS = Infinity;
  }

  #due(): void {
    if (this.#isAwaited) this.#isAnswering = false;
    else this.#send();
    this.#schedule();
  }

  #send(): void {
    if (this.#session.destroyed) return;
    this.#isAwaited = this.#session.ping((error) => {
      // A session that ends answers all its PINGs with an error.
      if (error !== null) return;
      this.#isAwaited = false;
      this.#isAnswering = true;
    });
  }
}
