import { setTimeout as pause } from 'node:timers/promises';

import { toErrorMessage } from '../../lock/error-message';
import { StoreError } from '../../lock/lock-store';
import type { Logger } from '../../lock/logger';
import { startCallLimit, type CallLimit } from './call-limit';
import { withDeadline } from './deadline';
import { toStoreError } from './redis-errors';
import { openLink, type RedisClient, type RedisLink } from './redis-link';
import type { RedisSettings } from './redis-settings';

/** Pauses before another attempt to reach a Redis that is away, in milliseconds: from, doubling, to. */
const PAUSE_MS = { first: 25, longest: 250 } as const;

/** How long commands may take. */
export interface RunOptions {
  /** For everything, reaching Redis included. */
  readonly timeoutMs: number;
  /** Ends the wait as soon as the caller has gone. */
  readonly signal: AbortSignal;
}

/**
 * The way to one Redis: one connection at a time, replaced when it breaks or when a reply does not
 * come. Every command is written once, to a connection that has answered before, or not at all:
 * nothing is queued while Redis is away, and nothing is ever sent again by itself.
 */
export class RedisConnection {
  readonly #settings: RedisSettings;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  #link: RedisLink | undefined;
  /** While Redis is away: the next attempt to reach it, the pause before it included. */
  #attempt: Promise<RedisLink> | undefined;
  #awaySinceMs: number | undefined;

  constructor(options: { readonly settings: RedisSettings; readonly logger: Logger }) {
    this.#settings = options.settings;
    this.#logger = options.logger;
  }

  /** Opens the first connection by one attempt; rejects with its reason. */
  async open(signal: AbortSignal): Promise<void> {
    this.#adopt(await this.#dial(signal));
  }

  /**
   * Runs commands on the connection. While Redis is away the call waits for the next attempt to
   * reach it, at most {@link PAUSE_MS} and the attempt itself, and fails with that attempt: so
   * it fails fast, and yet the first call after Redis is back works.
   *
   * @throws {StoreError} and nothing else
   */
  async run<T>(options: RunOptions, send: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.#closing.signal.aborted) throw notSent('the store is closed', 'closed');
    if (options.signal.aborted) throw notSent('the caller has gone', 'deadline');
    const limit = startCallLimit(options);
    try {
      const link = this.#link ?? (await this.#reach(limit));
      return await this.#send({ link, limit, send });
    } finally {
      limit.clear();
    }
  }

  /** Ends the connection and every attempt; commands in flight fail as unknown. */
  close(): void {
    this.#closing.abort();
    this.#link?.end(new Error('the store was closed'));
    this.#link = undefined;
  }

  async #reach(limit: CallLimit): Promise<RedisLink> {
    try {
      const first = await Promise.race([this.#attempt, limit.over]);
      if (typeof first === 'object') return first;
    } catch (cause) {
      throw notSent(`Redis can't be reached: ${toErrorMessage(cause)}`, 'unavailable', cause);
    }
    throw notSent("Redis can't be reached: no answer in time", 'unavailable');
  }

  async #send<T>(options: {
    readonly link: RedisLink;
    readonly limit: CallLimit;
    readonly send: (client: RedisClient) => Promise<T>;
  }): Promise<T> {
    const { link, limit, send } = options;
    const reply = send(link.client).then(
      (value) => ({ value }),
      (error: unknown) => {
        throw toStoreError(error, link.endReason);
      },
    );
    const first = await Promise.race([reply, limit.over]);
    if (typeof first === 'object') return first.value;
    if (first === 'gone') throw unknownOutcome('the caller has gone before Redis replied');
    const reason = `Redis did not reply within ${limit.timeoutMs} ms`;
    // A reply that comes later would be taken for the answer to the next command.
    link.end(new Error(reason));
    throw unknownOutcome(reason);
  }

  #dial(...callers: readonly AbortSignal[]): Promise<RedisLink> {
    const signals = [this.#closing.signal, ...callers];
    return withDeadline({ timeoutMs: this.#settings.dialTimeoutMs, signals }, (signal) =>
      openLink(this.#settings, signal),
    );
  }

  #adopt(link: RedisLink): void {
    this.#link = link;
    this.#attempt = undefined;
    if (this.#awaySinceMs !== undefined) {
      const awayMs = Math.round(performance.now() - this.#awaySinceMs);
      this.#logger.info(`Redis is back after ${awayMs} ms`);
      this.#awaySinceMs = undefined;
    }
    void link.ended.then((reason) => {
      this.#lose(link, reason);
    });
  }

  #lose(link: RedisLink, reason: Error): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#awaySinceMs = performance.now();
    this.#logger.warn(`Connection to Redis lost: ${reason.message}; reconnecting`);
    this.#startAttempt(0);
  }

  #startAttempt(pauseMs: number): void {
    this.#attempt = this.#dialAfter(pauseMs);
    this.#attempt.then(
      (link) => {
        this.#adopt(link);
      },
      (error: unknown) => {
        if (this.#closing.signal.aborted) return;
        this.#logger.debug(`Redis can't be reached: ${toErrorMessage(error)}`);
        this.#startAttempt(Math.min(Math.max(2 * pauseMs, PAUSE_MS.first), PAUSE_MS.longest));
      },
    );
  }

  async #dialAfter(pauseMs: number): Promise<RedisLink> {
    await pause(pauseMs, undefined, { signal: this.#closing.signal });
    return this.#dial();
  }
}

function notSent(
  message: string,
  kind: 'closed' | 'deadline' | 'unavailable',
  cause?: unknown,
): StoreError {
  return new StoreError(message, { kind, outcome: 'not-applied', cause });
}

function unknownOutcome(reason: string): StoreError {
  return new StoreError(`${reason}, the outcome is unknown`, {
    kind: 'deadline',
    outcome: 'unknown',
  });
}
