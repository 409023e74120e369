import type { Logger } from '../base/logger';

/** The first pause after a failed connection, in milliseconds. Each further one is twice as long. */
const FIRST_PAUSE_MS = 50;

/** The longest pause, in milliseconds. So a call finds a returned upstream after a second at most. */
const LONGEST_PAUSE_MS = 1000;

/** The options of {@link Reconnection}. */
export interface ReconnectionOptions {
  /** The endpoint as errors show it. */
  readonly endpoint: string;
  /** `gRPC` or `HTTP`. */
  readonly label: string;
  readonly logger: Logger;
  /** A monotonic clock in milliseconds. Default: the process's. */
  readonly now?: () => number;
}

/**
 * Decides when the next connection may be tried. After a failure, one caller may try after a pause,
 * and all others fail at once with the reason of the last failure. So many calls to an upstream that
 * is away cause few connections. Logs each change once.
 */
export class Reconnection {
  readonly #options: ReconnectionOptions;
  readonly #now: () => number;
  #reason: string | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #nextAtMs = 0;

  constructor(options: ReconnectionOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** The reason of the last failure. Undefined while the upstream is not known to be away. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /**
   * True if the caller may try to connect. While the upstream is away, the answer is true for one
   * caller at most in each pause; that caller must report the result.
   */
  mayTry(): boolean {
    if (this.#reason === undefined) return true;
    const now = this.#now();
    if (now < this.#nextAtMs) return false;
    this.#nextAtMs = now + this.#pauseMs;
    return true;
  }

  /** Records that a connection could not be opened. */
  failed(reason: string): void {
    const { label, endpoint, logger } = this.#options;
    if (this.#reason === undefined) {
      logger.warn(
        `The upstream ${label} endpoint ${endpoint} can't be reached: ${reason}; its calls fail until it is back, locks are not affected`,
      );
    }
    this.#pauseMs =
      this.#reason === undefined ? FIRST_PAUSE_MS : Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
    this.#reason = reason;
    // Some earlier and some later, so that many sidecars do not try at the same moments.
    this.#nextAtMs = this.#now() + this.#pauseMs * (0.75 + Math.random() / 4);
  }

  /** Records that a connection was opened, or a call was answered. */
  succeeded(): void {
    if (this.#reason === undefined) return;
    const { label, endpoint, logger } = this.#options;
    this.#reason = undefined;
    logger.info(`The upstream ${label} endpoint ${endpoint} can be reached again`);
  }
}
