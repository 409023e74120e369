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
import { toUndo, TryLock } from './lock-calls';
import { LockCommands } from './lock-commands';
import { createRedisConnection } from './redis-connection';
import { isFinal } from './redis-errors';
import { type RedisCalls, RedisLeases, release } from './redis-leases';
import type { RedisClient, RedisLink } from './redis-link';
import { RedisQueue } from './redis-queue';
import type { RedisSettings } from './redis-settings';
import { RedisViews } from './redis-views';
import { checkServer } from './server-checks';

/**
 * Pause before a server is checked again whose connection broke during the check, in milliseconds.
 */
const CHECK_PAUSE_MS = 50;

/** The dependencies and settings of a store. */
export interface RedisStoreOptions {
  readonly settings: RedisSettings;
  readonly logger: Logger;
  /** Log lines begin with it, because a sidecar may have several stores. */
  readonly componentName?: string;
  /** Receives events about the connection to Redis. */
  readonly observer?: StoreObserver;
  /** The commands. Tests may replace them. */
  readonly commands?: LockCommands;
}

/**
 * Creates the store of one Redis (`lock.redis`). Its lock keys and values equal daprd's byte for
 * byte (dapr/components-contrib lock/redis/standalone.go), so that both can share one Redis.
 *
 * TryLock and Unlock are one command each. After a lost reply, the command is sent again under the
 * same attempt id, by which Redis recognises the first send. daprd sends it again without an id,
 * and takes its own lock for another owner's. docs/guarantees.md describes the consequences.
 */
export function createRedisStore(options: RedisStoreOptions): LockStore {
  return new RedisStore(options);
}

class RedisStore implements LockStore {
  readonly #settings: RedisSettings;
  readonly #logger: Logger;
  readonly #connection: OneLink<RedisLink>;
  readonly #attempts: Attempts<RedisLink>;
  readonly #commands: LockCommands;
  readonly #calls: RedisCalls;
  readonly leases: RedisLeases;
  readonly queue: RedisQueue;
  readonly views: RedisViews;
  #closing: Promise<void> | undefined;

  constructor(options: RedisStoreOptions) {
    const { settings, commands = new LockCommands(), observer = silentStoreObserver } = options;
    const { componentName } = options;
    const subject = componentName === undefined ? '' : `Component ${componentName}: `;
    const logger = createMappedLogger(options.logger, (text, fields) => [subject + text, fields]);
    observer.up(false);
    this.#settings = settings;
    this.#logger = logger;
    this.#commands = commands;
    const { readTimeoutMs, writeTimeoutMs, tryLockTimeoutMs, unlockTimeoutMs } = settings;
    const onLink = (link: RedisLink): void => {
      this.#attempts.resend(link);
    };
    this.#connection = createRedisConnection({ settings, logger, observer, onLink });
    this.#attempts = new Attempts({
      links: this.#connection,
      logger,
      replyTimeoutMs: readTimeoutMs,
      onWithdrawal: () => {
        observer.withdrawn();
      },
    });
    const attempts = this.#attempts;
    this.#calls = {
      attempts,
      commands,
      acquireLimits: { tryTimeoutMs: writeTimeoutMs, callTimeoutMs: tryLockTimeoutMs },
      releaseLimits: { tryTimeoutMs: readTimeoutMs, callTimeoutMs: unlockTimeoutMs },
    };
    this.leases = new RedisLeases(this.#calls);
    this.queue = new RedisQueue({ settings, logger, attempts, commands });
    this.views = new RedisViews(this.#calls, settings.database);
  }

  async init(signal: AbortSignal): Promise<void> {
    await this.#open(signal);
    while (!(await this.#isChecked(signal))) await this.#open(signal);
    if (this.#connection.linkFor()?.clock !== undefined) return;
    this.#logger.warn(
      'The Redis user may not run TIME, or the server does not have it: a lock call whose reply is lost is not repeated, and its outcome is unknown',
    );
  }

  async #open(signal: AbortSignal): Promise<void> {
    try {
      await this.#connection.open(signal);
    } catch (cause) {
      throw new StoreError(`error connecting to Redis: ${toErrorMessage(cause)}`, {
        kind: isFinal(cause) ? 'rejected' : 'unavailable',
        outcome: 'not-applied',
        cause,
      });
    }
  }

  /**
   * False if the connection broke during the check. Then the store waits for Redis as it does at
   * the start.
   */
  async #isChecked(signal: AbortSignal): Promise<boolean> {
    const mayReplicate = this.#settings.sentinel !== undefined;
    const options = { logger: this.#logger, mayReplicate };
    try {
      const { dialTimeoutMs } = this.#settings;
      await this.#ask(dialTimeoutMs, signal, (client) => checkServer(client, options));
      return true;
    } catch (error) {
      if (isFinal(error) || signal.aborted || this.#closing !== undefined) throw error;
      await pause(CHECK_PAUSE_MS);
      return false;
    }
  }

  tryLock(call: TryLockCall, signal: CancelSignal): Promise<TryLockResult> {
    const { acquireLimits } = this.#calls;
    return this.#attempts.run(new TryLock(this.#commands, call), acquireLimits, signal);
  }

  unlock(call: UnlockCall, signal: CancelSignal): Promise<UnlockOutcome> {
    return release(this.#calls, call, signal);
  }

  withdraw(call: TryLockCall | UnlockCall | ForceReleaseCall): Promise<void> {
    return this.#attempts.withdraw(toUndo(this.#commands, call));
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#ask(this.#settings.readTimeoutMs, signal, (client) => client.ping());
  }

  close(grace?: AbortSignal): Promise<void> {
    this.#closing ??= this.#close(grace);
    return this.#closing;
  }

  async #close(grace: AbortSignal | undefined): Promise<void> {
    this.#attempts.close();
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
    send: (client: RedisClient) => Promise<T>,
  ): Promise<T> {
    return this.#attempts.ask({ key: '', timeoutMs, signal }, ({ client }) => send(client));
  }
}
