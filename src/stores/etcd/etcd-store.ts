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
import type { ForceReleaseCall, LeaseAbility } from '../../lock/store-abilities';
import { silentStoreObserver, type StoreObserver } from '../../lock/store-observer';
import { Attempts } from '../attempts/attempts';
import type { TimeLimits } from '../attempts/command';
import type { OneLink } from '../attempts/one-link';
import { AttemptRecords } from './attempt-record';
import { type CallContext, Release, Renew, Take, toUndo } from './etcd-calls';
import { createEtcdConnection } from './etcd-connection';
import { isFinal } from './etcd-errors';
import { EtcdKeys } from './etcd-keys';
import type { EtcdLink } from './etcd-link';
import { EtcdQueue } from './etcd-queue';
import type { EtcdSettings } from './etcd-settings';
import { EtcdViews } from './etcd-views';
import type { ReleaseTerms } from './release';

/** The dependencies and settings of a store. */
export interface EtcdStoreOptions {
  readonly settings: EtcdSettings;
  readonly logger: Logger;
  /** Log lines begin with it, because a sidecar may have several stores. */
  readonly componentName?: string;
  /** Receives events about the connection to etcd. */
  readonly observer?: StoreObserver;
}

/**
 * Creates the store of one etcd cluster (`lock.etcd`). A confirmed lock is known to a majority of
 * its members. docs/decisions/0018 describes its protocol.
 */
export function createEtcdStore(options: EtcdStoreOptions): LockStore {
  return new EtcdStore(options);
}

class EtcdStore implements LockStore {
  readonly #connection: OneLink<EtcdLink>;
  readonly #attempts: Attempts<EtcdLink>;
  readonly #limits: TimeLimits;
  readonly #settings: EtcdSettings;
  readonly #context: CallContext;
  readonly queue: EtcdQueue;
  readonly views: EtcdViews;
  #closing: Promise<void> | undefined;

  constructor(options: EtcdStoreOptions) {
    const { settings, observer = silentStoreObserver, componentName } = options;
    const subject = componentName === undefined ? '' : `Component ${componentName}: `;
    const logger = createMappedLogger(options.logger, (text, fields) => [subject + text, fields]);
    observer.up(false);
    const { requestTimeoutMs, callTimeoutMs } = settings;
    this.#settings = settings;
    this.#limits = { tryTimeoutMs: requestTimeoutMs, callTimeoutMs };
    this.#context = { keys: new EtcdKeys(settings.keyPrefixPath), records: new AttemptRecords() };
    const onLink = (link: EtcdLink): void => {
      this.#attempts.resend(link);
      this.queue.onLink();
    };
    this.#connection = createEtcdConnection({ settings, logger, observer, onLink });
    this.#attempts = new Attempts({
      links: this.#connection,
      logger,
      replyTimeoutMs: requestTimeoutMs,
      onWithdrawal: () => {
        observer.withdrawn();
      },
    });
    this.queue = new EtcdQueue({
      context: this.#context,
      attempts: this.#attempts,
      limits: this.#limits,
      linkOf: () => this.#connection.linkFor(),
    });
    this.views = new EtcdViews({
      keys: this.#context.keys,
      ask: (signal, send) =>
        this.#attempts.ask({ key: '', timeoutMs: requestTimeoutMs, signal }, send),
      release: (terms, signal) => this.#release(terms, signal),
    });
  }

  readonly leases: LeaseAbility = {
    acquire: (call, signal) =>
      this.#attempts.run(new Take(this.#context, call), this.#limits, signal),
    renew: (call, signal) =>
      this.#attempts.run(new Renew(this.#context, call), this.#limits, signal),
    release: (call, signal) => this.#release(call, signal),
  };

  async init(signal: AbortSignal): Promise<void> {
    try {
      await this.#connection.open(signal);
    } catch (cause) {
      throw new StoreError(`error connecting to etcd: ${toErrorMessage(cause)}`, {
        kind: isFinal(cause) ? 'rejected' : 'unavailable',
        outcome: 'not-applied',
        cause,
      });
    }
  }

  tryLock(call: TryLockCall, signal: CancelSignal): Promise<TryLockResult> {
    return this.leases.acquire(call, signal);
  }

  unlock(call: UnlockCall, signal: CancelSignal): Promise<UnlockOutcome> {
    return this.#release(call, signal);
  }

  withdraw(call: TryLockCall | UnlockCall | ForceReleaseCall): Promise<void> {
    return this.#attempts.withdraw(toUndo(this.#context, call));
  }

  /** Reads by a majority: a member that is cut off from it can't be used. */
  async ping(signal: AbortSignal): Promise<void> {
    const key = this.#context.keys.lock('lock||');
    const way = { key: '', timeoutMs: this.#settings.requestTimeoutMs, signal };
    await this.#attempts.ask(way, (link) => link.call(link.api.range, { key, countOnly: true }));
  }

  #release(terms: ReleaseTerms, signal: CancelSignal): Promise<UnlockOutcome> {
    return this.#attempts.run(new Release(this.#context, terms), this.#limits, signal);
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
}
