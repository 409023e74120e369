import type { RedisClient } from './redis-link';

/** How long a reading is good, in milliseconds: clocks of two machines drift apart. */
const GOOD_FOR_MS = 30_000;

/**
 * A Redis server's clock as far as it is known here: never ahead of the true one. A server that
 * said S has passed S by the time its reply is here; so with a limit taken from this clock, the
 * server's clock has passed the limit for certain once the local moment has come.
 */
export class ServerClock {
  readonly #client: RedisClient;
  #offsetMs = 0;
  #readAtMs = 0;
  #reading: Promise<void> | undefined;

  private constructor(client: RedisClient) {
    this.#client = client;
  }

  /** Reads the clock of a server for the first time; rejects with what Redis or node-redis says. */
  static async of(client: RedisClient): Promise<ServerClock> {
    const clock = new ServerClock(client);
    await clock.read();
    return clock;
  }

  /** The clock, in whole ms since 1970, at a local moment of `performance.now()`. */
  at(localMs: number): number {
    if (performance.now() - this.#readAtMs > GOOD_FOR_MS) this.read().catch(() => undefined);
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
    const [seconds = NaN, microseconds = NaN] = (await this.#client.time()).map(Number);
    const serverMs = seconds * 1000 + Math.floor(microseconds / 1000);
    if (!Number.isSafeInteger(serverMs)) throw new Error('TIME was answered with no time');
    this.#readAtMs = performance.now();
    this.#offsetMs = serverMs - this.#readAtMs;
  }
}
