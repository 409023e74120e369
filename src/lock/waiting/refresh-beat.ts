import type { Clock, Timer } from '../../base/clock';
import { runWithin } from '../../base/race';

/** The interval and the work of a {@link RefreshBeat}. */
export interface RefreshBeatOptions {
  readonly everyMs: number;
  readonly clock: Clock;
  /** Refreshes once. A rejection is ignored: the next refresh does the work. */
  readonly refresh: (over: AbortSignal) => Promise<void>;
}

/**
 * Refreshes at an interval, one refresh at a time, each with a time limit: a command lost on a dead
 * connection must not block the next refresh.
 */
export class RefreshBeat {
  readonly #options: RefreshBeatOptions;
  #tick: Timer | undefined;
  #isRefreshing = false;
  #refreshesAgain = false;

  constructor(options: RefreshBeatOptions) {
    this.#options = options;
  }

  /** Starts to beat. Has no effect if it beats. */
  start(): void {
    if (this.#tick !== undefined) return;
    const { clock, everyMs } = this.#options;
    this.#tick = clock.after(everyMs, () => {
      this.#tick = undefined;
      this.start();
      void this.#refresh();
    });
  }

  /** Stops to beat. */
  stop(): void {
    this.#tick?.close();
    this.#tick = undefined;
  }

  /** Refreshes at once, or after the refresh in progress. Has no effect unless it beats. */
  hurry(): void {
    if (this.#tick !== undefined) void this.#refresh();
  }

  async #refresh(): Promise<void> {
    if (this.#isRefreshing) {
      this.#refreshesAgain = true;
      return;
    }
    this.#isRefreshing = true;
    this.#refreshesAgain = false;
    const { clock, everyMs, refresh } = this.#options;
    try {
      await runWithin({ afterMs: 2 * everyMs, clock }, refresh);
    } catch {
      // The next refresh does the work. The asks report what is wrong.
    } finally {
      this.#isRefreshing = false;
    }
    if (this.#isDueAgain()) this.hurry();
  }

  #isDueAgain(): boolean {
    return this.#refreshesAgain;
  }
}
