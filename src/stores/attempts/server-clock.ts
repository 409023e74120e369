import type { Clock } from '../../base/clock';

/** How long a reading is good, in milliseconds: clocks of two machines drift apart. */
const GOOD_FOR_MS = 30_000;

/** What a {@link ServerClock} is read by. */
export interface ServerClockOptions {
  /** Asks the server for its time, in whole milliseconds since 1970. */
  readonly ask: () => Promise<number>;
  /** The local clock. */
  readonly clock: Clock;
}

/**
 * A server's clock as far as it is known here: never ahead of the true one. A server that
 * said S has passed S by the time its reply is here; so with a limit taken from this clock, the
 * server's clock has passed the limit for certain once the local moment has come.
 */
export class ServerClock {
  readonly #ask: () => Promise<number>;
  readonly #clock: Clock;
  #offsetMs = 0;
  #readAtMs = 0;
  #reading: Promise<void> | undefined;

  private constructor({ ask, clock }: ServerClockOptions) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** Reads the clock of a server for the first time; rejects as the question for it does. */
  static async of(options: ServerClockOptions): Promise<ServerClock> {
    const clock = new ServerClock(options);
    await clock.read();
    return clock;
  }

  /** The clock, in whole ms since 1970, at a moment of the local one. */
  at(localMs: number): number {
    if (this.#clock.now() - this.#readAtMs > GOOD_FOR_MS) this.read().catch(() => undefined);
    return Math.floor(localMs + this.#offsetMs);
  }

  /** Reads the clock again; callers at the same time share one reading. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const serverMs = await this.#ask();
    this.#readAtMs = this.#clock.now();
    this.#offsetMs = serverMs - this.#readAtMs;
  }
}
