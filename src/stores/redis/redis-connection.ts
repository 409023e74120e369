import { setTimeout as pause } from 'node:timers/promises';

import { processClock } from '../../base/clock';
import { toErrorMessage } from '../../base/error-message';
import type { Logger } from '../../base/logger';
import { runWithin } from '../../base/race';
import { Trouble } from '../../base/trouble';
import { StoreError } from '../../lock/lock-store';
import type { StoreObserver } from '../../lock/store-observer';
import { type CallDeadline, TimeOverError } from '../attempts/call-deadline';
import type { Links } from '../attempts/link';
import { dialHedged } from './hedged-dial';
import { type RedisAddress, toAddressText } from './redis-address';
import { isFinal } from './redis-errors';
import { openLink, type RedisLink, SERVER_NAME } from './redis-link';
import type { RedisSettings } from './redis-settings';
import { isSame, Sentinels } from './sentinels';

/**
 * Pauses between attempts to reach a Redis that is away, in milliseconds: the first one, doubled up
 * to the longest.
 */
const PAUSE_MS = { first: 25, longest: 250 } as const;

/**
 * The longest pause between attempts to reach a Redis that has never been reached, in milliseconds.
 */
const LONGEST_INIT_PAUSE_MS = 1000;

/**
 * Connects to one Redis. There is one connection at a time. It is replaced when it breaks or a
 * reply is overdue. Every command is written once, to a connection that has answered before, or not
 * at all: nothing is queued while Redis is away, and nothing is sent again automatically.
 */
export class RedisConnection implements Links<RedisLink> {
  readonly serverName = SERVER_NAME;
  readonly #settings: RedisSettings;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  readonly #onLink: (link: RedisLink) => void;
  readonly #observer: StoreObserver;
  #link: RedisLink | undefined;
  /** While Redis is away: the next attempt to reach it, including the pause before. */
  #attempt: Promise<RedisLink> | undefined;
  #awaySinceMs: number | undefined;
  readonly #sentinels: Sentinels | undefined;
  /**
   * Reports failed attempts to reach Redis. Their reason tells more than the reason of the lost
   * connection.
   */
  readonly #attempts = new Trouble({
    clock: processClock,
    onFailing: ({ reason, failures }, isFirst) => {
      const more = isFirst ? '' : ` (${failures} attempts since the last message)`;
      this.#logger.warn(`Redis can't be reached: ${reason}; trying again${more}`);
    },
  });
  #isWaitSaid = false;
  #isUnusedPasswordSaid = false;

  /** @param options `onLink` may write to a new connection before any call does */
  constructor(options: {
    readonly settings: RedisSettings;
    readonly logger: Logger;
    readonly observer: StoreObserver;
    readonly onLink: (link: RedisLink) => void;
  }) {
    this.#observer = options.observer;
    this.#settings = options.settings;
    this.#logger = options.logger;
    this.#onLink = options.onLink;
    const { sentinel } = options.settings;
    this.#sentinels = sentinel && new Sentinels({ ...options, sentinel });
  }

  /** The open connection, for any key. Undefined while Redis is away. */
  linkFor(): RedisLink | undefined {
    return this.#link;
  }

  /**
   * Opens the first connection. Retries until the signal aborts if Redis can't be reached yet, as
   * daprd does. Fails at once if waiting can't help. May be called again after a failure.
   */
  async open(signal: AbortSignal): Promise<void> {
    if (this.#link !== undefined || this.#attempt !== undefined) return;
    this.#adopt(await this.#dialUntilReached(signal));
    void this.#sentinels?.watch((master) => {
      this.#leaveForMaster(master);
    }, this.#closing.signal);
  }

  /**
   * Returns the connection. While Redis is away, waits for the next attempt to reach it, which
   * takes at most {@link PAUSE_MS} plus the attempt itself, and fails if that attempt fails. So
   * calls fail fast, but the first call after Redis is back succeeds.
   *
   * @throws {StoreError} with outcome `not-applied`; no other error
   */
  async reach(_key: string, deadline: CallDeadline): Promise<RedisLink> {
    this.#assertOpen();
    if (this.#link !== undefined) return this.#link;
    const attempt = this.#attempt;
    if (attempt === undefined) throw notSent("Redis can't be reached", 'unavailable');
    try {
      return await deadline.wait(attempt);
    } catch (cause) {
      this.#assertOpen();
      const reason = cause instanceof TimeOverError ? 'no answer in time' : toErrorMessage(cause);
      throw notSent(`Redis can't be reached: ${reason}`, 'unavailable', cause);
    }
  }

  /** Ends the connection and all attempts. Commands in flight fail with an unknown outcome. */
  close(): void {
    this.#closing.abort();
    this.#attempts.drop();
    this.#link?.end(new Error('the store was closed'));
    this.#link = undefined;
    this.#observer.closed();
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw notSent('the store is closed', 'closed');
  }

  async #dialUntilReached(signal: AbortSignal): Promise<RedisLink> {
    let reason: unknown;
    for (
      let pauseMs: number = PAUSE_MS.first;
      ;
      pauseMs = Math.min(2 * pauseMs, LONGEST_INIT_PAUSE_MS)
    ) {
      try {
        return await dialHedged((settled) => this.#dial(settled, signal));
      } catch (error) {
        // An attempt that was cut short at the end of the time has no reason of its own.
        if (signal.aborted) throw reason ?? error;
        if (isFinal(error)) throw error;
        reason = error;
      }
      this.#sayWait(reason);
      await pause(pauseMs, undefined, { signal }).catch(() => {
        throw reason;
      });
    }
  }

  #sayWait(reason: unknown): void {
    if (this.#isWaitSaid) return;
    this.#isWaitSaid = true;
    const where = this.#settings.addresses.map(toAddressText).join(',');
    this.#logger.warn(
      `Redis at ${where} can't be reached yet, trying again: ${toErrorMessage(reason)}`,
    );
  }

  #dial(...callers: readonly AbortSignal[]): Promise<RedisLink> {
    const signals = [this.#closing.signal, ...callers];
    const { dialTimeoutMs, addresses } = this.#settings;
    return runWithin({ afterMs: dialTimeoutMs, signals }, async (signal) => {
      const address = (await this.#sentinels?.findMaster(signal)) ?? addresses[0];
      return openLink(this.#settings, address, signal);
    });
  }

  /**
   * After a failover, the old master may still be running, cut off from the others. Its locks are
   * void.
   */
  #leaveForMaster(master: RedisAddress): void {
    const link = this.#link;
    if (link === undefined || isSame(link.address, master)) return;
    link.end(new Error(`failover: the new master is ${toAddressText(master)}`));
  }

  #adopt(link: RedisLink): void {
    this.#link = link;
    this.#attempt = undefined;
    this.#attempts.succeeded();
    this.#onLink(link);
    this.#observer.up(true);
    this.#sayUnusedPassword(link);
    if (this.#awaySinceMs !== undefined) {
      const awayMs = Math.round(performance.now() - this.#awaySinceMs);
      this.#logger.info(`Redis is back after ${awayMs} ms`);
      this.#observer.reconnected();
      this.#awaySinceMs = undefined;
    }
    void link.ended.then((reason) => {
      this.#lose(link, reason);
    });
  }

  #sayUnusedPassword({ isPasswordUnused, address }: RedisLink): void {
    if (!isPasswordUnused || this.#isUnusedPasswordSaid) return;
    this.#isUnusedPasswordSaid = true;
    this.#logger.warn(
      `Redis at ${toAddressText(address)} needs no password; redisPassword is not used`,
    );
  }

  #lose(link: RedisLink, reason: Error): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#awaySinceMs = performance.now();
    this.#observer.up(false);
    this.#logger.warn(`Connection to Redis lost: ${reason.message}; reconnecting`);
    this.#startAttempt(0);
  }

  #startAttempt(pauseMs: number): void {
    const attempt = this.#dialAfter(pauseMs);
    // Adopted before waiting calls continue, because a new connection gets withdrawals first.
    this.#attempt = attempt.then((link) => {
      if (this.#closing.signal.aborted) link.end(new Error('the store was closed'));
      else this.#adopt(link);
      return link;
    });
    this.#attempt.catch((error: unknown) => {
      if (this.#closing.signal.aborted) return;
      this.#attempts.failed(toErrorMessage(error));
      this.#startAttempt(Math.min(Math.max(2 * pauseMs, PAUSE_MS.first), PAUSE_MS.longest));
    });
  }

  async #dialAfter(pauseMs: number): Promise<RedisLink> {
    await pause(pauseMs, undefined, { signal: this.#closing.signal });
    return dialHedged((settled) => this.#dial(settled));
  }
}

function notSent(message: string, kind: 'closed' | 'unavailable', cause?: unknown): StoreError {
  return new StoreError(message, { kind, outcome: 'not-applied', cause });
}
