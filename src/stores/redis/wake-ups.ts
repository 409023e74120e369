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
import { toChannel } from './side-keys';

/**
 * How often the connection is tested, in milliseconds. A connection that broke silently delivers
 * nothing and reports nothing.
 */
const HEARTBEAT_MS = 5000;

/** How long the subscription to a channel is waited for before its locks are asked for, in milliseconds. */
export const SUBSCRIBED_WITHIN_MS = 250;

/** The part of wake-ups that a queue uses. */
export interface WakeUpSource {
  /**
   * Receives wake-ups for locks with a tag from now on. Whoever is about to ask for such a lock should
   * wait for it up to {@link SUBSCRIBED_WITHIN_MS}: if it takes longer, or is not waited for,
   * `onSubscribed` follows. Never rejects.
   */
  open(tag: string): Promise<void>;
  /** Receives wake-ups for locks with these tags, and for no others. */
  keep(tags: ReadonlySet<string>): void;
  /** Ends for good. */
  close(): void;
}

/** The dependencies and callbacks of {@link WakeUpSource}. */
export interface WakeUpsOptions {
  readonly settings: RedisSettings;
  readonly logger: Logger;
  readonly sidecarId: string;
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
export class WakeUps implements WakeUpSource {
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

  /** Opens the connection unless it is open. */
  open(): Promise<void> {
    this.#open();
    return Promise.resolve();
  }

  #open(): void {
    if (this.#isOpening) return;
    this.#isOpening = true;
    this.#connection.open(this.#closing.signal).catch((error: unknown) => {
      this.#isOpening = false;
      if (!this.#closing.signal.aborted) this.#saySilence(toErrorMessage(error));
    });
  }

  keep(): void {
    // There is one channel for all locks.
  }

  close(): void {
    this.#closing.abort();
    this.#connection.close();
  }

  async #subscribe(link: RedisLink): Promise<void> {
    const { sidecarId, onWoken, onSubscribed } = this.#options;
    try {
      await link.client.subscribe(toChannel(sidecarId), (attemptId) => {
        if (attemptId !== '') onWoken(attemptId);
      });
    } catch (error) {
      if (link.endReason === undefined) this.#saySilence(toReplyText(error));
      return;
    }
    this.#isSilenceSaid = false;
    beat(link, { clock: this.#clock, replyTimeoutMs: this.#options.settings.readTimeoutMs });
    onSubscribed();
  }

  #saySilence(reason: string): void {
    if (this.#isSilenceSaid) return;
    this.#isSilenceSaid = true;
    this.#options.logger.warn(`${SILENCE}: ${reason}`);
  }
}

/** Tests a connection regularly until it ends. */
export function beat(
  link: RedisLink,
  options: { readonly clock: Clock; readonly replyTimeoutMs: number },
): void {
  const { clock, replyTimeoutMs } = options;
  const timer = clock.after(HEARTBEAT_MS, () => {
    const settled = endIfSilent(link, { clock, afterMs: replyTimeoutMs });
    const answered = (): void => {
      settled();
      if (link.endReason === undefined) beat(link, options);
    };
    // Any reply shows that the connection works.
    link.client.ping().then(answered, answered);
  });
  timer.unref();
  void link.ended.then(() => {
    timer.close();
  });
}

/** The log line if messages can't be received. The reason follows. */
export const SILENCE = 'Wake-ups do not work; waiters notice a released lock up to a second later';

/** A logger that writes everything at debug: the store's main connection says what operators need. */
export function toDebug(logger: Logger): Logger {
  const debug = (message: string): void => {
    logger.debug(`Second connection: ${message}`);
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
