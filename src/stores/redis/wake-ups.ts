import { type Clock, processClock, type Timer } from '../../base/clock';
import { toErrorMessage } from '../../base/error-message';
import type { Logger } from '../../base/logger';
import { silentStoreObserver } from '../../lock/store-observer';
import { RedisConnection } from './redis-connection';
import { toReplyText } from './redis-errors';
import type { RedisLink } from './redis-link';
import type { RedisSettings } from './redis-settings';

/** How often the line is tested, in milliseconds: a connection that died silently delivers nothing, and says nothing. */
const HEARTBEAT_MS = 5000;

/** What the line of wake-ups is made of. */
export interface WakeUpsOptions {
  readonly settings: RedisSettings;
  readonly logger: Logger;
  /** Where wake-ups of this store are published. */
  readonly channel: string;
  /** A ticket is to ask. */
  readonly onWoken: (attemptId: string) => void;
  /** The line stands, again or for the first time: what was published before is missed. */
  readonly onStanding: () => void;
}

/**
 * The line by which waiters are woken: a connection of its own, subscribed to one channel, for all waiters of a
 * store. Waiting works without it, later by up to the pace at which locks are looked at.
 */
export class WakeUps {
  readonly #options: WakeUpsOptions;
  readonly #clock: Clock = processClock;
  readonly #connection: RedisConnection;
  readonly #closing = new AbortController();
  #isOpening = false;
  #isSilenceSaid = false;

  constructor(options: WakeUpsOptions) {
    this.#options = options;
    const { settings, logger } = options;
    this.#connection = new RedisConnection({
      settings,
      // The store's own connection says all that is worth saying; this one has the same fate.
      logger: toDebug(logger),
      observer: silentStoreObserver,
      onLink: (link) => void this.#subscribe(link),
    });
  }

  /** Opens the line, once. Nobody has to wait for it. */
  open(): void {
    if (this.#isOpening) return;
    this.#isOpening = true;
    this.#connection.open(this.#closing.signal).catch((error: unknown) => {
      this.#isOpening = false;
      if (!this.#closing.signal.aborted) this.#saySilence(toErrorMessage(error));
    });
  }

  /** Closes it for good. */
  close(): void {
    this.#closing.abort();
    this.#connection.close();
  }

  async #subscribe(link: RedisLink): Promise<void> {
    const { channel, onWoken, onStanding } = this.#options;
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
    onStanding();
  }

  /** Tests the line for as long as it stands. */
  #test(link: RedisLink): void {
    const { readTimeoutMs } = this.#options.settings;
    const beat = this.#clock.after(HEARTBEAT_MS, () => {
      const silence = this.#clock.after(readTimeoutMs, () => {
        link.end(new Error(`Redis did not reply within ${readTimeoutMs} ms`));
      });
      const answered = (timer: Timer): void => {
        timer.close();
        if (link.endReason === undefined) this.#test(link);
      };
      // Whatever it answers, it is there.
      link.client.ping().then(
        () => {
          answered(silence);
        },
        () => {
          answered(silence);
        },
      );
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
      `Waiters are not woken when a lock is released, they find out within a second: ${reason}`,
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
