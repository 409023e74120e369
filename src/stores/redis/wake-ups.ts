import { type Clock, processClock } from '../../base/clock';
import { toErrorMessage } from '../../base/error-message';
import type { Logger } from '../../base/logger';
import { silentStoreObserver } from '../../lock/store-observer';
import { endIfSilent } from '../attempts/await-reply';
import type { OneLink } from '../attempts/one-link';
import { createRedisConnection } from './redis-connection';
import { toReplyText } from './redis-errors';
import type { RedisLink } from './redis-link';
import type { RedisSettings } from './redis-settings';

/**
 * How often the connection is tested, in milliseconds. A connection that broke silently delivers
 * nothing and reports nothing.
 */
const HEARTBEAT_MS = 5000;

/** The dependencies and callbacks of {@link WakeUps}. */
export interface WakeUpsOptions {
  readonly settings: RedisSettings;
  readonly logger: Logger;
  /** The channel for wake-ups of this store. */
  readonly channel: string;
  /** Called when a ticket should ask. */
  readonly onWoken: (attemptId: string) => void;
  /**
   * Called when the subscription works, at first or again. Earlier messages may have been missed.
   */
  readonly onSubscribed: () => void;
  /** Default: the clock of the process. */
  readonly clock?: Clock | undefined;
}

/**
 * A separate connection that is subscribed to one channel, and wakes all waiters of a store.
 * Without it, waiting works too, but up to one refresh later.
 */
export class WakeUps {
  readonly #options: WakeUpsOptions;
  readonly #clock: Clock;
  readonly #connection: OneLink<RedisLink>;
  readonly #closing = new AbortController();
  #isOpening = false;
  #isSilenceSaid = false;

  constructor(options: WakeUpsOptions) {
    this.#options = options;
    const { settings, logger, clock = processClock } = options;
    this.#clock = clock;
    this.#connection = createRedisConnection({
      settings,
      // The store's main connection already logs everything that an operator needs.
      logger: toDebug(logger),
      observer: silentStoreObserver,
      onLink: (link) => void this.#subscribe(link),
    });
  }

  /** Opens the connection unless it is open. Nobody needs to wait for it. */
  open(): void {
    if (this.#isOpening) return;
    this.#isOpening = true;
    this.#connection.open(this.#closing.signal).catch((error: unknown) => {
      this.#isOpening = false;
      if (!this.#closing.signal.aborted) this.#saySilence(toErrorMessage(error));
    });
  }

  /** Closes the connection for good. */
  close(): void {
    this.#closing.abort();
    this.#connection.close();
  }

  async #subscribe(link: RedisLink): Promise<void> {
    const { channel, onWoken, onSubscribed } = this.#options;
    try {
      await link.client.subscribe(channel, (attemptId) => {
        if (attemptId !== '') onWoken(attemptId);
      });
    } catch (error) {
      if (link.endReason === undefined) this.#saySilence(toReplyText(error));
      return;
    }
    this.#isSilenceSaid = false;
    this.#test(link);
    onSubscribed();
  }

  /** Tests the connection until it ends. */
  #test(link: RedisLink): void {
    const { readTimeoutMs } = this.#options.settings;
    const beat = this.#clock.after(HEARTBEAT_MS, () => {
      const settled = endIfSilent(link, { clock: this.#clock, afterMs: readTimeoutMs });
      const answered = (): void => {
        settled();
        if (link.endReason === undefined) this.#test(link);
      };
      // Any reply shows that the connection works.
      link.client.ping().then(answered, answered);
    });
    beat.unref();
    void link.ended.then(() => {
      beat.close();
    });
  }

  #saySilence(reason: string): void {
    if (this.#isSilenceSaid) return;
    this.#isSilenceSaid = true;
    this.#options.logger.warn(
      `Wake-ups do not work; waiters notice a released lock up to a second later: ${reason}`,
    );
  }
}

function toDebug(logger: Logger): Logger {
  const debug = (message: string): void => {
    logger.debug(`Wake-ups: ${message}`);
  };
  return {
    get isDebug() {
      return logger.isDebug;
    },
    debug,
    info: debug,
    warn: debug,
    error: debug,
    fatal: debug,
    scoped: (...scope) => toDebug(logger.scoped(...scope)),
  };
}
