import { setTimeout as pause } from 'node:timers/promises';

import type { CancelSignal } from '../../base/cancellation';
import { toErrorMessage } from '../../base/error-message';
import type { Logger } from '../../base/logger';
import { createMappedLogger } from '../../base/mapped-logger';
import { race } from '../../base/race';
import {
  type LockStore,
  StoreError,
  type TryLockCall,
  type TryLockResult,
  type UnlockCall,
  type UnlockOutcome,
} from '../../lock/lock-store';
import type { ForceReleaseCall } from '../../lock/store-abilities';
import { silentStoreObserver, type StoreObserver } from '../../lock/store-observer';
import { Attempts } from '../attempts/attempts';
import type { OneLink } from '../attempts/one-link';
import { toUndo } from './lock-calls';
import { createPostgresqlConnection } from './postgresql-connection';
import { isFinal } from './postgresql-errors';
import { type PostgresqlCalls, PostgresqlLeases, release } from './postgresql-leases';
import type { PostgresqlLink } from './postgresql-link';
import { PostgresqlQueue } from './postgresql-queue';
import type { PostgresqlSettings } from './postgresql-settings';
import { PostgresqlViews } from './postgresql-views';
import { ensureSchema } from './schema-check';
import { Statements } from './statements';
import { Sweeper } from './sweeper';
import { WakeUps } from './wake-ups';

/** Pause before a server is checked again whose connection broke during the check, in milliseconds. */
const CHECK_PAUSE_MS = 50;

/** The dependencies and settings of a store. */
export interface PostgresqlStoreOptions {
  readonly settings: PostgresqlSettings;
  readonly logger: Logger;
  /** Log lines begin with it, because a sidecar may have several stores. */
  readonly componentName?: string;
  /** Receives events about the connection to PostgreSQL. */
  readonly observer?: StoreObserver | undefined;
}

/**
 * Creates the store of one PostgreSQL (`lock.postgresql`). A lock is a row with an end, and each
 * call one function on the server; docs/decisions/0019 explains why.
 */
export function createPostgresqlStore(options: PostgresqlStoreOptions): LockStore {
  return new PostgresqlStore(options);
}

class PostgresqlStore implements LockStore {
  readonly #settings: PostgresqlSettings;
  readonly #logger: Logger;
  readonly #connection: OneLink<PostgresqlLink>;
  readonly #attempts: Attempts<PostgresqlLink>;
  readonly #calls: PostgresqlCalls;
  readonly #sweeper: Sweeper;
  readonly leases: PostgresqlLeases;
  readonly queue: PostgresqlQueue;
  readonly views: PostgresqlViews;
  #closing: Promise<void> | undefined;

  constructor(options: PostgresqlStoreOptions) {
    const { settings, componentName, observer = silentStoreObserver } = options;
    const subject = componentName === undefined ? '' : `Component ${componentName}: `;
    const logger = createMappedLogger(options.logger, (text, fields) => [subject + text, fields]);
    observer.up(false);
    this.#settings = settings;
    this.#logger = logger;
    const onLink = (link: PostgresqlLink): void => {
      this.#attempts.resend(link);
    };
    this.#connection = createPostgresqlConnection({ settings, logger, observer, onLink });
    const { timeoutMs, callTimeoutMs, names } = settings;
    this.#attempts = new Attempts({
      links: this.#connection,
      logger,
      replyTimeoutMs: timeoutMs,
      onWithdrawal: () => {
        observer.withdrawn();
      },
    });
    this.#calls = {
      attempts: this.#attempts,
      statements: new Statements(names, timeoutMs),
      limits: { tryTimeoutMs: timeoutMs, callTimeoutMs },
    };
    this.#sweeper = new Sweeper({ ...this.#calls, links: this.#connection, logger });
    this.leases = new PostgresqlLeases(this.#calls);
    this.views = new PostgresqlViews(this.#calls, names);
    const server = { links: this.#connection, logger, timeoutMs };
    this.queue = new PostgresqlQueue({
      ...this.#calls,
      toWakeUps: (wakeUps) => new WakeUps(server, wakeUps),
    });
  }

  async init(signal: AbortSignal): Promise<void> {
    await this.#open(signal);
    while (!(await this.#isChecked(signal))) await this.#open(signal);
    this.#sayFacts();
    this.#sweeper.start();
  }

  async #open(signal: AbortSignal): Promise<void> {
    try {
      await this.#connection.open(signal);
    } catch (cause) {
      throw new StoreError(`error connecting to PostgreSQL: ${toErrorMessage(cause)}`, {
        kind: isFinal(cause) ? 'rejected' : 'unavailable',
        outcome: 'not-applied',
        cause,
      });
    }
  }

  /** False if the connection broke during the check. Then the store waits for PostgreSQL again. */
  async #isChecked(signal: AbortSignal): Promise<boolean> {
    try {
      const { dialTimeoutMs } = this.#settings;
      await this.#ask(dialTimeoutMs, signal, (link) => ensureSchema(link, this.#settings));
      return true;
    } catch (error) {
      if (isFinal(error) || signal.aborted || this.#closing !== undefined) throw error;
      await pause(CHECK_PAUSE_MS);
      return false;
    }
  }

  #sayFacts(): void {
    const facts = this.#connection.linkFor()?.facts;
    if (facts?.isDurable === false) {
      this.#logger.warn('PostgreSQL runs with fsync off: a crash of its machine loses locks');
    }
    if (facts?.hasStatementTimeout === false) {
      this.#logger.warn(
        'A pooler takes no time-outs from here: run ALTER ROLE … SET statement_timeout for the user of this store',
      );
    }
  }

  async tryLock(call: TryLockCall, signal: CancelSignal): Promise<TryLockResult> {
    return this.leases.acquire(call, signal);
  }

  unlock(call: UnlockCall, signal: CancelSignal): Promise<UnlockOutcome> {
    return release(this.#calls, { ...call, fencingToken: undefined }, signal);
  }

  withdraw(call: TryLockCall | UnlockCall | ForceReleaseCall): Promise<void> {
    return this.#attempts.withdraw(toUndo(this.#calls.statements, call));
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#ask(this.#settings.timeoutMs, signal, (link) => link.run({ text: 'SELECT 1' }));
  }

  close(grace?: AbortSignal): Promise<void> {
    this.#closing ??= this.#close(grace);
    return this.#closing;
  }

  async #close(grace: AbortSignal | undefined): Promise<void> {
    this.#attempts.close();
    this.#sweeper.stop();
    if (grace !== undefined) {
      await race(this.#attempts.whenSettled(), { signals: [grace] }, () => undefined);
    }
    this.#attempts.abandon();
    this.queue.close();
    this.#connection.close();
  }

  #ask<T>(
    timeoutMs: number,
    signal: AbortSignal,
    send: (link: PostgresqlLink) => Promise<T>,
  ): Promise<T> {
    return this.#attempts.ask({ key: '', timeoutMs, signal }, send);
  }
}
