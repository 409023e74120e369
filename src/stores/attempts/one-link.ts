import { setTimeout as pause } from 'node:timers/promises';

import { processClock } from '../../base/clock';
import { toErrorMessage } from '../../base/error-message';
import type { Logger } from '../../base/logger';
import { Trouble } from '../../base/trouble';
import { StoreError } from '../../lock/lock-store';
import type { StoreObserver } from '../../lock/store-observer';
import { type CallDeadline, TimeOverError } from './call-deadline';
import type { Link, Links } from './link';

/**
 * Pauses between attempts to reach a server that is away, in milliseconds: the first one, doubled up
 * to the longest, and the longest for a server that has never been reached.
 */
const PAUSE_MS = { first: 25, longest: 250, longestAtInit: 1000 } as const;

/** A link that says when it has ended. */
export interface EndingLink extends Link {
  /** Resolves with the reason when the link has ended. */
  readonly ended: Promise<Error>;
}

/** The parts of {@link OneLink} that depend on the kind of server. */
export interface OneLinkOptions<L extends EndingLink> {
  /** The server's name in messages for users. */
  readonly serverName: string;
  /** The server's name and place, for the message that it can't be reached yet. */
  readonly place: string;
  readonly logger: Logger;
  readonly observer: StoreObserver;
  /** Opens a link, unless one of the signals aborts first. Bounds its own time. */
  readonly dial: (signals: readonly AbortSignal[]) => Promise<L>;
  /** True for an error of `dial` that waiting can't mend. */
  readonly isFinal: (error: unknown) => boolean;
  /** May write to a new link before any call does. */
  readonly onLink: (link: L) => void;
  /** Text about the link in the message that the server is back. Default: none. */
  readonly describe?: (link: L) => string;
}

/**
 * The one link of a store whose keys are all on one server. It is replaced when it ends. Every
 * command is written once, to a link that has answered before, or not at all: nothing is queued
 * while the server is away, and nothing is sent again automatically.
 */
export class OneLink<L extends EndingLink> implements Links<L> {
  readonly serverName: string;
  readonly #options: OneLinkOptions<L>;
  readonly #closing = new AbortController();
  #link: L | undefined;
  /** While the server is away: the next attempt to reach it, including the pause before. */
  #attempt: Promise<L> | undefined;
  #givenUp: Error | undefined;
  #awaySinceMs: number | undefined;
  #isWaitSaid = false;
  /**
   * Reports failed attempts to reach the server. Their reason tells more than the reason of the lost
   * link.
   */
  readonly #attempts: Trouble;

  constructor(options: OneLinkOptions<L>) {
    const { serverName, logger } = options;
    this.#options = options;
    this.serverName = serverName;
    this.#attempts = new Trouble({
      clock: processClock,
      onFailing: ({ reason, failures }, isFirst) => {
        const more = isFirst ? '' : ` (${failures} attempts since the last message)`;
        logger.warn(`${serverName} can't be reached: ${reason}; trying again${more}`);
      },
    });
  }

  /** The open link, for any key. Undefined while the server is away. */
  linkFor(): L | undefined {
    return this.#link;
  }

  /** Aborts when the store is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Opens the first link. Retries until the signal aborts if the server can't be reached yet, as
   * daprd does. Fails at once if waiting can't help. May be called again after a failure.
   */
  async open(signal: AbortSignal): Promise<void> {
    if (this.#link !== undefined || this.#attempt !== undefined) return;
    this.#adopt(await this.#dialUntilReached(signal));
  }

  /**
   * Starts to open the link. Nobody needs to wait for it: {@link OneLink.reach} does. Retries until
   * the link is closed.
   */
  start(): void {
    if (this.#link === undefined && this.#attempt === undefined) this.#startAttempt(0);
  }

  /**
   * Returns the link. While the server is away, waits for the next attempt to reach it, which takes
   * at most {@link PAUSE_MS} plus the attempt itself, and fails if that attempt fails. So calls fail
   * fast, but the first call after the server is back succeeds.
   *
   * @throws {StoreError} with outcome `not-applied`; no other error
   */
  async reach(_key: string, deadline: CallDeadline): Promise<L> {
    this.#assertOpen();
    if (this.#link !== undefined) return this.#link;
    const attempt = this.#attempt;
    if (attempt === undefined) throw notSent(`${this.serverName} can't be reached`, 'unavailable');
    try {
      return await deadline.wait(attempt);
    } catch (cause) {
      this.#assertOpen();
      const reason = cause instanceof TimeOverError ? 'no answer in time' : toErrorMessage(cause);
      throw notSent(`${this.serverName} can't be reached: ${reason}`, 'unavailable', cause);
    }
  }

  /**
   * Ends the link and all attempts. Commands in flight fail with an unknown outcome.
   *
   * @param reason why the server is given up, if not because the store is closed
   */
  close(reason?: Error): void {
    if (this.#closing.signal.aborted) return;
    this.#givenUp = reason;
    this.#closing.abort();
    this.#attempts.drop();
    this.#link?.end(reason ?? new Error('the store was closed'));
    this.#link = undefined;
    this.#options.observer.closed();
  }

  #assertOpen(): void {
    if (!this.#closing.signal.aborted) return;
    if (this.#givenUp === undefined) throw notSent('the store is closed', 'closed');
    throw notSent(`${this.serverName} can't be reached: ${this.#givenUp.message}`, 'unavailable');
  }

  #dial(...callers: readonly AbortSignal[]): Promise<L> {
    return this.#options.dial([this.#closing.signal, ...callers]);
  }

  async #dialUntilReached(signal: AbortSignal): Promise<L> {
    let reason: unknown;
    let pauseMs: number = PAUSE_MS.first;
    for (;;) {
      try {
        return await this.#dial(signal);
      } catch (error) {
        // An attempt that was cut short at the end of the time has no reason of its own.
        if (signal.aborted) throw reason ?? error;
        if (this.#options.isFinal(error)) throw error;
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
    const { logger, place } = this.#options;
    logger.warn(`${place} can't be reached yet, trying again: ${toErrorMessage(reason)}`);
  }

  #adopt(link: L): void {
    const { observer, onLink } = this.#options;
    this.#link = link;
    this.#attempt = undefined;
    this.#attempts.succeeded();
    onLink(link);
    observer.up(true);
    this.#sayBack(link);
    void link.ended.then((reason) => {
      this.#lose(link, reason);
    });
  }

  #sayBack(link: L): void {
    if (this.#awaySinceMs === undefined) return;
    const { observer, logger, describe } = this.#options;
    const awayMs = Math.round(performance.now() - this.#awaySinceMs);
    logger.info(`${this.serverName} is back after ${awayMs} ms${describe?.(link) ?? ''}`);
    observer.reconnected();
    this.#awaySinceMs = undefined;
  }

  #lose(link: L, reason: Error): void {
    if (this.#link !== link) return;
    const { observer, logger } = this.#options;
    this.#link = undefined;
    this.#awaySinceMs = performance.now();
    observer.up(false);
    logger.warn(`Connection to ${this.serverName} lost: ${reason.message}; reconnecting`);
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
      this.#attempts.failed(toErrorMessage(error));
      this.#startAttempt(Math.min(Math.max(2 * pauseMs, PAUSE_MS.first), PAUSE_MS.longest));
    });
  }
}

function notSent(message: string, kind: 'closed' | 'unavailable', cause?: unknown): StoreError {
  return new StoreError(message, { kind, outcome: 'not-applied', cause });
}
