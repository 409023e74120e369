import type { Clock } from '../../base/clock';
import { CLOCK_DRIFT } from './lease-end';

/** How long a reading is used, in milliseconds. The clocks of two machines drift apart. */
const GOOD_FOR_MS = 30_000;

/** The functions that a {@link ServerClock} needs. */
export interface ServerClockOptions {
  /** Asks the server for its time, in whole milliseconds since 1970. */
  readonly ask: () => Promise<number>;
  /** The local clock. */
  readonly clock: Clock;
}

/**
 * An estimate of a server's clock that is never ahead of it. If a server says S, its clock has
 * passed S when the reply arrives. So if a limit is set by this clock, the server's clock has
 * certainly passed the limit once the corresponding local time is reached.
 */
export class ServerClock {
  readonly #ask: () => Promise<number>;
  readonly #clock: Clock;
  #offsetMs = 0;
  #readAtMs = 0;
  /** By how much the server's clock may have been ahead of the estimate when it was read. */
  #lagMs = 0;
  #reading: Promise<void> | undefined;

  private constructor({ ask, clock }: ServerClockOptions) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** Reads a server's clock for the first time. Rejects as the request for the time does. */
  static async of(options: ServerClockOptions): Promise<ServerClock> {
    const clock = new ServerClock(options);
    await clock.read();
    return clock;
  }

  /** The server's time, in whole milliseconds since 1970, at a moment of the local clock. */
  at(localMs: number): number {
    if (this.#clock.now() - this.#readAtMs > GOOD_FOR_MS) this.read().catch(() => undefined);
    return Math.floor(localMs + this.#offsetMs);
  }

  /**
   * The latest that the server's clock may show at a moment of the local clock. What shall last on the
   * server until then, as the traces of a send, has to be kept until this time.
   */
  latestAt(localMs: number): number {
    const driftMs = Math.max(0, localMs - this.#readAtMs) * CLOCK_DRIFT;
    return this.at(localMs) + Math.ceil(this.#lagMs + driftMs) + 1;
  }

  /** Reads the clock again. Concurrent callers share one reading. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const askedAtMs = this.#clock.now();
    const serverMs = await this.#ask();
    this.#readAtMs = this.#clock.now();
    this.#lagMs = this.#readAtMs - askedAtMs;
    this.#offsetMs = serverMs - this.#readAtMs;
  }
}
