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
import type * as cluster from './cluster/cluster-parts';
import { toUndo, TryLock } from './lock-calls';
import { AcknowledgedGrants } from './acknowledged';
import { LockCommands } from './lock-commands';
import { isFinal } from './redis-errors';
import { type RedisCalls, RedisLeases, release } from './redis-leases';
import type { RedisClient, RedisLink } from './redis-link';
import {
  createPlainParts,
  type RedisParts,
  type RedisPartsOptions,
  type SecondLinks,
} from './redis-parts';
import { RedisQueue } from './redis-queue';
import type { RedisSettings } from './redis-settings';
import { RedisViews } from './redis-views';
import { ReplicaCounts } from './replica-counts';
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
 * Creates the store of one Redis or a Redis Cluster (`lock.redis`). Its lock keys and values equal daprd's byte for
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
  readonly #parts: RedisParts;
  readonly #attempts: Attempts<RedisLink>;
  readonly #commands: LockCommands;
  readonly #calls: RedisCalls;
  readonly leases: RedisLeases;
  readonly queue: RedisQueue;
  readonly views: RedisViews;
  /** For grants that wait for replicas. */
  #second: { readonly links: SecondLinks; readonly attempts: Attempts<RedisLink> } | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: RedisStoreOptions) {
    const { settings, observer = silentStoreObserver, componentName } = options;
    const subject = componentName === undefined ? '' : `Component ${componentName}: `;
    const logger = createMappedLogger(options.logger, (text, fields) => [subject + text, fields]);
    observer.up(false);
    this.#settings = settings;
    this.#logger = logger;
    const { readTimeoutMs, writeTimeoutMs, tryLockTimeoutMs, unlockTimeoutMs } = settings;
    const onLink = (link: RedisLink): void => {
      this.#attempts.resend(link);
    };
    this.#parts = toParts({ settings, logger, observer, onLink });
    const { connection, spelling, toWakeUps, allLinks } = this.#parts;
    const { commands = new LockCommands(spelling) } = options;
    this.#commands = commands;
    this.#attempts = new Attempts({
      links: connection,
      logger,
      replyTimeoutMs: readTimeoutMs,
      onWithdrawal: () => {
        observer.withdrawn();
      },
    });
    const attempts = this.#attempts;
    this.#calls = {
      attempts,
      grants: this.#toGrants(),
      commands,
      onReleasing: (key) => {
        // Asks that wait for replicas go over another link, and could be served first.
        if (settings.minReplicasToAcknowledge === 0) this.queue.releasing(key);
      },
      acquireLimits: { tryTimeoutMs: writeTimeoutMs, callTimeoutMs: tryLockTimeoutMs },
      releaseLimits: { tryTimeoutMs: readTimeoutMs, callTimeoutMs: unlockTimeoutMs },
    };
    this.leases = new RedisLeases(this.#calls);
    const { grants } = this.#calls;
    this.queue = new RedisQueue({
      ...{ settings, logger, attempts, grants, commands, spelling, toWakeUps },
    });
    const { database } = settings;
    this.views = new RedisViews(this.#calls, { database, spelling, links: allLinks });
  }

  /** Grants and extends leases: the attempts, or attempts that wait for replicas. */
  #toGrants(): RedisCalls['grants'] {
    const { minReplicasToAcknowledge, acknowledgeOnDisk, writeTimeoutMs, readTimeoutMs } =
      this.#settings;
    if (minReplicasToAcknowledge === 0) return this.#attempts;
    const links = this.#parts.createSecondLinks();
    const logger = this.#logger;
    const attempts = new Attempts({ links, logger, replyTimeoutMs: readTimeoutMs });
    this.#second = { links, attempts };
    const counts = new ReplicaCounts({
      needed: minReplicasToAcknowledge,
      onDisk: acknowledgeOnDisk,
      tryTimeoutMs: writeTimeoutMs,
    });
    return new AcknowledgedGrants(attempts, counts);
  }

  async init(signal: AbortSignal): Promise<void> {
    await this.#open(signal);
    this.#second?.links.start();
    while (!(await this.#isChecked(signal))) await this.#open(signal);
    if (this.#parts.allLinks().some(({ clock }) => clock !== undefined)) return;
    this.#logger.warn(
      'The Redis user may not run TIME, or the server does not have it: a lock call whose reply is lost is not repeated, and its outcome is unknown',
    );
  }

  async #open(signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.connection.open(signal);
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
    const { isCluster, sentinel, dialTimeoutMs, minReplicasToAcknowledge, acknowledgeOnDisk } =
      this.#settings;
    const mayReplicate = isCluster || sentinel !== undefined;
    const mustWait = minReplicasToAcknowledge > 0;
    const waits = { mustWait, onDisk: acknowledgeOnDisk };
    const options = { logger: this.#logger, mayReplicate, isCluster, ...waits };
    try {
      await this.#askAll(dialTimeoutMs, signal, (client) => checkServer(client, options));
      return true;
    } catch (error) {
      if (isFinal(error) || signal.aborted || this.#closing !== undefined) throw error;
      await pause(CHECK_PAUSE_MS);
      return false;
    }
  }

  tryLock(call: TryLockCall, signal: CancelSignal): Promise<TryLockResult> {
    const { grants, acquireLimits } = this.#calls;
    return grants.run(new TryLock(this.#commands, call), acquireLimits, signal);
  }

  unlock(call: UnlockCall, signal: CancelSignal): Promise<UnlockOutcome> {
    return release(this.#calls, call, signal);
  }

  withdraw(call: TryLockCall | UnlockCall | ForceReleaseCall): Promise<void> {
    return this.#attempts.withdraw(toUndo(this.#commands, call));
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#askAll(this.#settings.readTimeoutMs, signal, (client) => client.ping());
  }

  close(grace?: AbortSignal): Promise<void> {
    this.#closing ??= this.#close(grace);
    return this.#closing;
  }

  async #close(grace: AbortSignal | undefined): Promise<void> {
    const second = this.#second;
    second?.attempts.close();
    this.#attempts.close();
    if (grace !== undefined) {
      // Grants first, because one that fails now may add a withdrawal.
      await race(this.#whenSettled(), { signals: [grace] }, () => undefined);
    }
    second?.attempts.abandon();
    this.#attempts.abandon();
    this.queue.close();
    second?.links.close();
    this.#parts.connection.close();
  }

  async #whenSettled(): Promise<void> {
    await this.#second?.attempts.whenSettled();
    await this.#attempts.whenSettled();
  }

  /** Asks every server. */
  async #askAll(
    timeoutMs: number,
    signal: AbortSignal,
    send: (client: RedisClient) => Promise<unknown>,
  ): Promise<void> {
    const links = this.#parts.allLinks();
    // While the only server is away, the call waits for it.
    const asked = links.length === 0 ? [undefined] : links;
    const askOne = (link: RedisLink | undefined) =>
      this.#attempts.ask({ key: '', link, timeoutMs, signal }, ({ client }) => send(client));
    await Promise.all(asked.map(askOne));
  }
}

/** The parts for a cluster are loaded only for one. */
function toParts(options: RedisPartsOptions): RedisParts {
  if (!options.settings.isCluster) return createPlainParts(options);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the store is created synchronously
  const { createClusterParts } = require('./cluster/cluster-parts') as typeof cluster;
  return createClusterParts(options);
}
