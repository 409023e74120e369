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
import { dialMembers } from './dial-members';
import { loadEtcdApi } from './etcd-api';
import { isFinal, SERVER_NAME } from './etcd-errors';
import { EtcdLink } from './etcd-link';
import type { EtcdSettings } from './etcd-settings';

/** Pauses between attempts to reach an etcd that is away, in milliseconds. */
const PAUSE_MS = { first: 25, longest: 250 } as const;

/** The longest pause between attempts to reach an etcd that has never been reached. */
const LONGEST_INIT_PAUSE_MS = 1000;

/** What an {@link EtcdConnection} needs. */
export interface EtcdConnectionOptions {
  readonly settings: EtcdSettings;
  readonly logger: Logger;
  readonly observer: StoreObserver;
  /** May write to a new connection before any call does. */
  readonly onLink: (link: EtcdLink) => void;
}

/**
 * Connects to one member of a cluster, and to another when that one fails. Every call is written
 * once, to a member that has answered before, or not at all.
 */
export class EtcdConnection implements Links<EtcdLink> {
  readonly serverName = SERVER_NAME;
  readonly #options: EtcdConnectionOptions;
  readonly #closing = new AbortController();
  readonly #api = loadEtcdApi();
  #link: EtcdLink | undefined;
  /** While etcd is away: the next attempt to reach it, including the pause before. */
  #attempt: Promise<EtcdLink> | undefined;
  #awaySinceMs: number | undefined;
  /** The member to begin with. */
  #first = 0;
  readonly #attempts: Trouble;
  #isWaitSaid = false;

  constructor(options: EtcdConnectionOptions) {
    this.#options = options;
    this.#attempts = new Trouble({
      clock: processClock,
      onFailing: ({ reason, failures }, isFirst) => {
        const more = isFirst ? '' : ` (${failures} attempts since the last message)`;
        options.logger.warn(`etcd can't be reached: ${reason}; trying again${more}`);
      },
    });
  }

  /** The open connection, for any key. Undefined while etcd is away. */
  linkFor(): EtcdLink | undefined {
    return this.#link;
  }

  /**
   * Opens the first connection. Retries until the signal aborts if etcd can't be reached yet. Fails
   * at once if waiting can't help.
   */
  async open(signal: AbortSignal): Promise<void> {
    if (this.#link !== undefined || this.#attempt !== undefined) return;
    let pauseMs: number = PAUSE_MS.first;
    for (;;) {
      const reason = await this.#tryOpen(signal);
      if (reason === undefined) return;
      if (signal.aborted || isFinal(reason)) throw reason;
      this.#sayWait(reason);
      await pause(pauseMs, undefined, { signal }).catch(() => {
        throw reason;
      });
      pauseMs = Math.min(2 * pauseMs, LONGEST_INIT_PAUSE_MS);
    }
  }

  /**
   * Returns the connection. While etcd is away, waits for the next attempt to reach it, and fails
   * if that attempt fails.
   *
   * @throws {StoreError} with outcome `not-applied`; no other error
   */
  async reach(_key: string, deadline: CallDeadline): Promise<EtcdLink> {
    this.#assertOpen();
    if (this.#link !== undefined) return this.#link;
    if (this.#attempt === undefined) throw notSent("etcd can't be reached", 'unavailable');
    try {
      return await deadline.wait(this.#attempt);
    } catch (cause) {
      this.#assertOpen();
      const reason = cause instanceof TimeOverError ? 'no answer in time' : toErrorMessage(cause);
      throw notSent(`etcd can't be reached: ${reason}`, 'unavailable', cause);
    }
  }

  /** Ends the connection and all attempts. Calls in flight fail with an unknown outcome. */
  close(): void {
    this.#closing.abort();
    this.#attempts.drop();
    this.#link?.end(new Error('the store was closed'));
    this.#link = undefined;
    this.#options.observer.closed();
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw notSent('the store is closed', 'closed');
  }

  /** Returns why it failed. */
  async #tryOpen(signal: AbortSignal): Promise<Error | undefined> {
    try {
      this.#adopt(await this.#dial(signal));
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(toErrorMessage(error));
    }
  }

  #sayWait(reason: unknown): void {
    if (this.#isWaitSaid) return;
    this.#isWaitSaid = true;
    const { logger, settings } = this.#options;
    const where = settings.endpoints.join(',');
    logger.warn(`etcd at ${where} can't be reached yet, trying again: ${toErrorMessage(reason)}`);
  }

  #dial(...callers: readonly AbortSignal[]): Promise<EtcdLink> {
    const { settings } = this.#options;
    const signals = [this.#closing.signal, ...callers];
    const { endpoints, dialTimeoutMs } = settings;
    // A second connection to the only member helps if packets of the first one were lost.
    const tries = Math.max(2, endpoints.length);
    const inTurn = Array.from(
      { length: tries },
      (_, at) => endpoints[(this.#first + at) % endpoints.length] ?? '',
    );
    return dialMembers(inTurn, (endpoint, settled) =>
      runWithin({ afterMs: dialTimeoutMs, signals: [...signals, settled] }, (signal) =>
        EtcdLink.open({ settings, api: this.#api, endpoint }, signal),
      ),
    );
  }

  #adopt(link: EtcdLink): void {
    const { observer, logger, onLink } = this.#options;
    this.#link = link;
    this.#attempt = undefined;
    this.#attempts.succeeded();
    onLink(link);
    observer.up(true);
    if (this.#awaySinceMs !== undefined) {
      const awayMs = Math.round(performance.now() - this.#awaySinceMs);
      logger.info(`etcd is back after ${awayMs} ms, by ${link.endpoint}`);
      observer.reconnected();
      this.#awaySinceMs = undefined;
    }
    void link.ended.then((reason) => {
      this.#lose(link, reason);
    });
  }

  #lose(link: EtcdLink, reason: Error): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#awaySinceMs = performance.now();
    // The member that has just failed comes last.
    this.#first = this.#options.settings.endpoints.indexOf(link.endpoint) + 1;
    this.#options.observer.up(false);
    this.#options.logger.warn(`Connection to etcd lost: ${reason.message}; reconnecting`);
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

  async #dialAfter(pauseMs: number): Promise<EtcdLink> {
    await pause(pauseMs, undefined, { signal: this.#closing.signal });
    return this.#dial();
  }
}

function notSent(message: string, kind: 'closed' | 'unavailable', cause?: unknown): StoreError {
  return new StoreError(message, { kind, outcome: 'not-applied', cause });
}
