/** When a connection counts as silent, in looks at it. */
export interface SilenceLimits {
  /** The time between two looks, in milliseconds. */
  readonly lookEveryMs: number;
  /** Looks without a byte after which the upstream is asked for a sign of life, at each look. */
  readonly askAfter: number;
  /** Looks after which no new call begins on a connection whose upstream was asked. */
  readonly avoidAfter: number;
  /** Looks after which the calls are ended. */
  readonly endAfter: number;
}

/**
 * The calls end after 15 s, as those of a daprd's own clients do with its keepalive. A busy upstream
 * that takes seconds to answer must not lose its calls.
 */
export const SILENCE_LIMITS: SilenceLimits = {
  lookEveryMs: 1000,
  askAfter: 2,
  avoidAfter: 5,
  endAfter: 15,
};

/** The watched connection, or several that are equal. */
export interface Watched {
  /** The bytes that have ever been read. Never falls. */
  readonly bytesRead: number;
  /** Asks for a sign of life, which any byte is. Never throws. */
  ask(): void;
  /** Ends what waits for the upstream. */
  end(reason: Error): void;
}

/**
 * Notices an upstream that says nothing more: its process is stopped, or the network swallows
 * everything. The kernel acknowledges what a stopped process does not read, so a call would wait
 * forever. One that is only slow, like a subscription without events, answers when it is asked.
 *
 * Looks are counted, and not the time: after a pause of this process itself, bytes that have long
 * arrived are read at the second look.
 */
export class SilenceWatch {
  readonly #watched: Watched;
  readonly #limits: SilenceLimits;
  #bytesRead: number;
  #looks = 0;

  constructor(watched: Watched, limits: SilenceLimits) {
    this.#watched = watched;
    this.#limits = limits;
    this.#bytesRead = watched.bytesRead;
  }

  /** True if the upstream was asked, and has not answered for so long that new calls avoid it. */
  get isSilent(): boolean {
    return this.#looks >= this.#limits.avoidAfter;
  }

  /**
   * Call this at each interval in which an answer may be expected.
   *
   * @returns true if a silent upstream is heard again
   */
  look(): boolean {
    const { askAfter, endAfter, lookEveryMs } = this.#limits;
    const { bytesRead } = this.#watched;
    if (bytesRead !== this.#bytesRead) {
      const wasSilent = this.isSilent;
      this.reset();
      return wasSilent;
    }
    this.#looks += 1;
    if (this.#looks >= endAfter) {
      this.#looks = 0;
      const seconds = (endAfter * lookEveryMs) / 1000;
      this.#watched.end(new Error(`it has sent nothing for ${seconds} s, although it was asked`));
    } else if (this.#looks >= askAfter) this.#watched.ask();
    return false;
  }

  /** Forgets the silence: nothing is expected at the moment. */
  reset(): void {
    this.#bytesRead = this.#watched.bytesRead;
    this.#looks = 0;
  }
}
