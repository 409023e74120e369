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
import { type PostgresqlAddress, toAddressText } from './connection-string';
import { describeError, isFinal, isUnknownStartupOption } from './postgresql-errors';
import { PostgresqlLink, SERVER_NAME } from './postgresql-link';
import type { PostgresqlSettings } from './postgresql-settings';

/**
 * Pauses between attempts to reach a server that is away, in milliseconds: the first one, doubled up
 * to the longest, and the longest before it was reached for the first time.
 */
const PAUSE_MS = { first: 25, longest: 250, longestAtInit: 1000 } as const;

/** The dependencies of a {@link PostgresqlConnection}. */
export interface PostgresqlConnectionOptions {
  readonly settings: PostgresqlSettings;
  readonly logger: Logger;
  readonly observer: StoreObserver;
  /** May write to a new link before any call does. */
  readonly onLink: (link: PostgresqlLink) => void;
}

/**
 * Finds the server that accepts writes, and keeps a link to it. There is one link at a time. It is
 * replaced when it ends: nothing is queued meanwhile, and nothing is sent again automatically.
 */
export class PostgresqlConnection implements Links<PostgresqlLink> {
  readonly serverName = SERVER_NAME;
  readonly #options: PostgresqlConnectionOptions;
  readonly #closing = new AbortController();
  #link: PostgresqlLink | undefined;
  /** While the server is away: the next attempt to reach it, including the pause before. */
  #attempt: Promise<PostgresqlLink> | undefined;
  #awaySinceMs: number | undefined;
  /** False once a pooler has refused options in the startup message. */
  #withOptions = true;
  #isWaitSaid = false;
  readonly #troubles = new Trouble({
    clock: processClock,
    onFailing: ({ reason, failures }, isFirst) => {
      const more = isFirst ? '' : ` (${failures} attempts since the last message)`;
      this.#options.logger.warn(`PostgreSQL can't be reached: ${reason}; trying again${more}`);
    },
  });

  constructor(options: PostgresqlConnectionOptions) {
    this.#options = options;
  }

  /** The open link, for any key. Undefined while the server is away. */
  linkFor(): PostgresqlLink | undefined {
    return this.#link;
  }

  /**
   * Opens the first link. Tries again until the signal aborts, unless waiting can't help. May be
   * called again after a failure.
   */
  async open(signal: AbortSignal): Promise<void> {
    if (this.#link !== undefined || this.#attempt !== undefined) return;
    this.#adopt(await this.#dialUntilReached(signal));
  }

  /**
   * Returns the link. While the server is away, waits for the next attempt to reach it, and fails if
   * that fails.
   *
   * @throws {StoreError} with outcome `not-applied`; no other error
   */
  async reach(_key: string, deadline: CallDeadline): Promise<PostgresqlLink> {
    this.#assertOpen();
    if (this.#link !== undefined) return this.#link;
    const attempt = this.#attempt;
    if (attempt === undefined) throw notSent("PostgreSQL can't be reached", 'unavailable');
    try {
      return await deadline.wait(attempt);
    } catch (cause) {
      this.#assertOpen();
      const reason = cause instanceof TimeOverError ? 'no answer in time' : toErrorMessage(cause);
      throw notSent(`PostgreSQL can't be reached: ${reason}`, 'unavailable', cause);
    }
  }

  /** Ends the link and all attempts. Statements in flight fail with an unknown outcome. */
  close(): void {
    this.#closing.abort();
    this.#troubles.drop();
    this.#link?.end(new Error('the store was closed'));
    this.#link = undefined;
    this.#options.observer.closed();
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw notSent('the store is closed', 'closed');
  }

  async #dialUntilReached(signal: AbortSignal): Promise<PostgresqlLink> {
    let reason: unknown;
    let pauseMs: number = PAUSE_MS.first;
    for (;;) {
      try {
        return await this.#dial(signal);
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
      pauseMs = Math.min(2 * pauseMs, PAUSE_MS.longestAtInit);
    }
  }

  #sayWait(reason: unknown): void {
    if (this.#isWaitSaid) return;
    this.#isWaitSaid = true;
    const { logger } = this.#options;
    logger.warn(`PostgreSQL can't be reached yet, trying again: ${toErrorMessage(reason)}`);
  }

  /** Tries the servers in turn. The first that accepts writes is used. */
  async #dial(caller?: AbortSignal): Promise<PostgresqlLink> {
    const failures: unknown[] = [];
    for (const address of this.#options.settings.addresses) {
      try {
        return await this.#dialServer(address, caller);
      } catch (error) {
        failures.push(withAddress(error, address));
      }
    }
    throw failures.length === 1 ? failures[0] : new AggregateError(failures, '');
  }

  async #dialServer(address: PostgresqlAddress, caller?: AbortSignal): Promise<PostgresqlLink> {
    const { settings } = this.#options;
    const signals = [this.#closing.signal, ...(caller === undefined ? [] : [caller])];
    const open = (withOptions: boolean) =>
      runWithin({ afterMs: settings.dialTimeoutMs, signals }, (signal) =>
        PostgresqlLink.open({ settings, address, withOptions }, signal),
      );
    try {
      return await open(this.#withOptions);
    } catch (error) {
      if (!this.#withOptions || !isUnknownStartupOption(error)) throw error;
    }
    const link = await open(false);
    this.#withOptions = false;
    return link;
  }

  #adopt(link: PostgresqlLink): void {
    this.#link = link;
    this.#attempt = undefined;
    this.#troubles.succeeded();
    const { observer, logger, onLink } = this.#options;
    onLink(link);
    observer.up(true);
    if (this.#awaySinceMs !== undefined) {
      logger.info(
        `PostgreSQL is back after ${Math.round(performance.now() - this.#awaySinceMs)} ms`,
      );
      observer.reconnected();
      this.#awaySinceMs = undefined;
    }
    void link.ended.then((reason) => {
      this.#lose(link, reason);
    });
  }

  #lose(link: PostgresqlLink, reason: Error): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#awaySinceMs = performance.now();
    this.#options.observer.up(false);
    this.#options.logger.warn(`Connection to PostgreSQL lost: ${reason.message}; reconnecting`);
    this.#startAttempt(0);
  }

  #startAttempt(pauseMs: number): void {
    const { signal } = this.#closing;
    const dialing = pause(pauseMs, undefined, { signal }).then(() => this.#dial());
    // Adopted before waiting calls continue, because a new link gets withdrawals first.
    this.#attempt = dialing.then((link) => {
      if (signal.aborted) link.end(new Error('the store was closed'));
      else this.#adopt(link);
      return link;
    });
    this.#attempt.catch((error: unknown) => {
      if (signal.aborted) return;
      this.#troubles.failed(toErrorMessage(error));
      this.#startAttempt(Math.min(Math.max(2 * pauseMs, PAUSE_MS.first), PAUSE_MS.longest));
    });
  }
}

/** Adds the server's address to an error, and what its SQLSTATE means. */
function withAddress(cause: unknown, address: PostgresqlAddress): Error {
  const text = describeError(cause);
  const where = toAddressText(address);
  return new Error(text.includes(where) ? text : `${text} (${where})`, { cause });
}

function notSent(message: string, kind: 'closed' | 'unavailable', cause?: unknown): StoreError {
  return new StoreError(message, { kind, outcome: 'not-applied', cause });
}
