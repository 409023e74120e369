import { setTimeout as pause } from 'node:timers/promises';

import type { CancelSignal } from '../../base/cancellation';
import { toErrorMessage } from '../../base/error-message';
import type { Logger } from '../../base/logger';
import { createMappedLogger } from '../../base/mapped-logger';
import {
  type LockStore,
  StoreError,
  type TryLockCall,
  type TryLockResult,
  type UnlockCall,
  type UnlockOutcome,
} from '../../lock/lock-store';
import { silentStoreObserver, type StoreObserver } from '../../lock/store-observer';
import { CallLimit } from './call-limit';
import { readDataEpoch } from './data-epoch';
import { untilAborted } from './deadline';
import { LockCommands } from './lock-commands';
import { RedisConnection } from './redis-connection';
import { isFinal } from './redis-errors';
import type { RedisClient } from './redis-link';
import type { RedisSettings } from './redis-settings';
import { REPLY } from './scripts';
import type { SendLog } from './send-log';
import { type LoopResult, SendLoop } from './send-loop';
import { checkServer } from './server-checks';
import { Withdrawals } from './withdrawals';

/** Before a server whose connection broke at its check is asked again, in milliseconds. */
const CHECK_PAUSE_MS = 50;

/** What a store is made of. */
export interface RedisStoreOptions {
  readonly settings: RedisSettings;
  readonly logger: Logger;
  /** Its lines begin with it: a sidecar may have many stores, and their Redis one name. */
  readonly componentName?: string;
  /** Is told how the way to Redis fares. */
  readonly observer?: StoreObserver;
  /** What is sent to Redis; those of this room unless a test tries others. */
  readonly commands?: LockCommands;
}

/**
 * Makes the store of one Redis (`lock.redis`). Its lock keys and values are byte for byte daprd's
 * (dapr/components-contrib lock/redis/standalone.go), so that both can share one Redis.
 *
 * TryLock and Unlock are one command each. Where a reply is lost the command is sent again under
 * the same attempt id, by which Redis knows what the first did; daprd sends it again without one
 * and takes its own lock for another's. docs/guarantees.md says what follows from that.
 */
export function createRedisStore(options: RedisStoreOptions): LockStore {
  return new RedisStore(options);
}

class RedisStore implements LockStore {
  readonly #settings: RedisSettings;
  readonly #logger: Logger;
  readonly #withdrawals: Withdrawals;
  readonly #connection: RedisConnection;
  readonly #loop: SendLoop;
  readonly #commands: LockCommands;
  readonly #observer: StoreObserver;
  #callsInFlight = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: RedisStoreOptions) {
    const { settings, commands = new LockCommands(), observer = silentStoreObserver } = options;
    const { componentName } = options;
    // A sidecar may have many stores, on one Redis or on several: each line says whose it is.
    const subject = componentName === undefined ? '' : `Component ${componentName}: `;
    const logger = createMappedLogger(options.logger, (text, fields) => [subject + text, fields]);
    this.#observer = observer;
    observer.up(false);
    this.#settings = settings;
    this.#logger = logger;
    this.#commands = commands;
    const replyTimeoutMs = settings.readTimeoutMs;
    const withdrawals = new Withdrawals({ logger, commands, replyTimeoutMs });
    this.#withdrawals = withdrawals;
    this.#connection = new RedisConnection({
      settings,
      logger,
      observer,
      onLink: (link) => {
        withdrawals.sendAll(link);
      },
    });
    this.#loop = new SendLoop(this.#connection);
  }

  async init(signal: AbortSignal): Promise<void> {
    await this.#open(signal);
    while (!(await this.#isChecked(signal))) await this.#open(signal);
    if (this.#connection.link?.clock !== undefined) return;
    this.#logger.warn(
      'The Redis user may not run TIME, or the server does not have it: a lock call whose reply is lost is not repeated, and its outcome stays unknown',
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

  /** False where the connection broke meanwhile, which is no more than a Redis that is late. */
  async #isChecked(signal: AbortSignal): Promise<boolean> {
    const mayReplicate = this.#settings.sentinel !== undefined;
    const options = { logger: this.#logger, mayReplicate };
    try {
      const { dialTimeoutMs } = this.#settings;
      await this.#exchange(dialTimeoutMs, signal, (client) => checkServer(client, options));
      return true;
    } catch (error) {
      if (isFinal(error) || signal.aborted || this.#closing !== undefined) throw error;
      await pause(CHECK_PAUSE_MS);
      return false;
    }
  }

  async tryLock(call: TryLockCall, signal: CancelSignal): Promise<TryLockResult> {
    const { writeTimeoutMs: tryTimeoutMs, tryLockTimeoutMs: callTimeoutMs } = this.#settings;
    this.#enter();
    try {
      const { reply } = await this.#loop.run({
        attempt: call.attempt,
        tryTimeoutMs,
        callTimeoutMs,
        signal,
        send: (client, stamp) => this.#commands.acquire(client, call, stamp),
        // A lease counts from the call: one that is over by now must not be handed out as held.
        isTimely: (answer, sentAtMs) =>
          answer !== REPLY.acquired || performance.now() - sentAtMs < call.ttlMs,
        toUnknown: (log) => `: ${toLatestEnd(log, call.ttlMs)}`,
      });
      return { acquired: reply === REPLY.acquired };
    } finally {
      this.#leave();
    }
  }

  async unlock(call: UnlockCall, signal: CancelSignal): Promise<UnlockOutcome> {
    const { readTimeoutMs: tryTimeoutMs, unlockTimeoutMs: callTimeoutMs } = this.#settings;
    this.#enter();
    try {
      const result = await this.#loop.run({
        attempt: call.attempt,
        tryTimeoutMs,
        callTimeoutMs,
        signal,
        send: (client, stamp) => this.#commands.release(client, call, stamp),
        isTimely: () => true,
        toUnknown: () => '',
      });
      if (result.reply === REPLY.unlocked) return 'unlocked';
      await this.#assertNoTraceLost(result);
      return result.reply === REPLY.notFound ? 'not_found' : 'held_by_other';
    } finally {
      this.#leave();
    }
  }

  withdraw(call: TryLockCall | UnlockCall): Promise<void> {
    const log = this.#loop.logOf(call.attempt);
    // Sent without a stamp: Redis could not tell this attempt from another of the same owner.
    if (!log.isBounded || !log.isStamped) return Promise.resolve();
    const ttlMs = 'ttlMs' in call ? call.ttlMs : undefined;
    const now = performance.now();
    const { openUntilMs } = log;
    // Nothing of a release is left to undo once none of its sends can take effect any more.
    if (ttlMs === undefined && openUntilMs <= now) return Promise.resolve();
    this.#observer.withdrawn();
    return this.#withdrawals.add({
      call,
      markUntilMs: log.latestNotAfterMs,
      endsAtMs: Math.max(now, openUntilMs) + (ttlMs ?? 0),
    });
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#exchange(this.#settings.readTimeoutMs, signal, (client) => client.ping());
  }

  close(grace?: AbortSignal): Promise<void> {
    this.#closing ??= this.#close(grace);
    return this.#closing;
  }

  async #close(grace: AbortSignal | undefined): Promise<void> {
    if (grace !== undefined) await untilAborted(grace, this.#whenSettled());
    this.#withdrawals.abandon();
    if (this.#callsInFlight > 0) {
      this.#logger.warn(
        `${this.#callsInFlight} lock calls were cut off in flight; what they took stays until its expiry`,
      );
    }
    this.#connection.close();
  }

  /** Calls first: one that fails now may leave a withdrawal behind. */
  async #whenSettled(): Promise<void> {
    if (this.#callsInFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await this.#withdrawals.whenEmpty();
  }

  /** Counts a call in flight; `#leave` is due. */
  #enter(): void {
    if (this.#closing !== undefined) {
      throw new StoreError('the store is closed', { kind: 'closed', outcome: 'not-applied' });
    }
    this.#callsInFlight += 1;
  }

  #leave(): void {
    this.#callsInFlight -= 1;
    // After what the caller does next: withdraw.
    if (this.#callsInFlight === 0 && this.#onIdle !== undefined) setImmediate(this.#onIdle);
  }

  async #exchange<T>(
    timeoutMs: number,
    signal: AbortSignal,
    send: (client: RedisClient) => Promise<T>,
  ): Promise<T> {
    const limit = new CallLimit({ timeoutMs, signal });
    try {
      return await this.#connection.exchange(await this.#connection.reach(limit), limit, send);
    } finally {
      limit.clear();
    }
  }

  /**
   * A release of which a send was lost left a marker if it took effect, unless Redis has lost its
   * data since: then "not found", and "held by another" as well, may be this very call's doing.
   */
  async #assertNoTraceLost({ log, link }: LoopResult): Promise<void> {
    if (!log.isOpen) return;
    const dataEpoch = await readDataEpoch(link.client).catch(() => undefined);
    if (log.hasTracesIn(dataEpoch)) return;
    throw new StoreError(
      'Redis was restarted or flushed before it replied, the outcome is unknown',
      { kind: 'unavailable', outcome: 'unknown' },
    );
  }
}

/** Until when a lock may exist that nobody was told of. */
function toLatestEnd(log: SendLog, ttlMs: number): string {
  if (!log.isBounded) return 'a lock may exist until its expiry, counted from when Redis took it';
  const end = new Date(log.latestNotAfterMs + ttlMs).toISOString();
  return `a lock may exist until ${end} at the latest`;
}
