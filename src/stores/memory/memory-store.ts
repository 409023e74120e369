import type { CancelSignal } from '../../base/cancellation';
import type { Attempt } from '../../lock/attempt';
import {
  type LockStore,
  StoreError,
  type TryLockCall,
  type TryLockResult,
  type UnlockCall,
  type UnlockOutcome,
} from '../../lock/lock-store';
import {
  type AskCall,
  type AskResult,
  type ForceReleaseCall,
  type LeaseAbility,
  type LockQueue,
  type LockViews,
  waitOver,
} from '../../lock/store-abilities';
import { silentStoreObserver, type StoreObserver } from '../../lock/store-observer';
import { ExpiringMap } from './expiring-map';
import { type Lease, type MemoryClocks, MemoryLeases } from './memory-leases';
import { MemoryViews } from './memory-views';
import { TicketQueues } from './ticket-queues';

/** How often expired leases are dropped from memory, in milliseconds. */
const SWEEP_INTERVAL_MS = 1000;

/**
 * How often waiters check their locks, in milliseconds. Needed for leases that expire earlier than
 * announced.
 */
const REFRESH_EVERY_MS = 500;

/**
 * How long a finished attempt is remembered, in milliseconds: as long as a call of the Redis store
 * may take. Retries of a resiliency policy happen within this time.
 */
const MEMORY_OF_ATTEMPTS_MS = 10_000;

/** An embedded lock store. Its locks live in this process and are lost when it exits. */
export interface MemoryStore extends LockStore {
  readonly leases: LeaseAbility;
  readonly queue: LockQueue;
  readonly views: LockViews;
  /** The number of leases in memory, for tests of its limit. */
  readonly size: number;
}

/** The options of a memory store. */
export interface MemoryStoreOptions extends MemoryClocks {
  readonly observer?: StoreObserver | undefined;
}

/**
 * Creates the embedded store (`lock.in-memory`) for development and tests. It needs no server, but
 * two sidecars do not share it, and a restart loses every lock.
 */
export function createMemoryStore(options: MemoryStoreOptions): MemoryStore {
  return new EmbeddedStore(options);
}

class EmbeddedStore implements MemoryStore {
  readonly #observer: StoreObserver;
  readonly #now: () => number;
  readonly #leases: MemoryLeases;
  readonly #queues: TicketQueues;
  readonly #views: MemoryViews;
  readonly #endedAttempts: ExpiringMap<'unlocked' | 'withdrawn'>;
  #sweeper: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: MemoryStoreOptions) {
    const { observer = silentStoreObserver, now } = options;
    this.#observer = observer;
    this.#now = now;
    this.#leases = new MemoryLeases(options);
    this.#queues = new TicketQueues(now);
    this.#views = new MemoryViews({ leases: this.#leases, queues: this.#queues, now });
    this.#endedAttempts = new ExpiringMap(now);
  }

  readonly leases: LeaseAbility = {
    acquire: async (call, signal) => {
      const { grant } = this.#tryLock(call, signal);
      return grant === undefined ? { acquired: false } : { acquired: true, grant };
    },
    renew: async (call, signal) => {
      this.#assertCallable(signal);
      return this.#leases.renew(call);
    },
    release: async (call, signal) => {
      const { owner, fencingToken } = call;
      return this.#release(call, signal, (lease) => {
        const isMeant = fencingToken === undefined || lease.fencingToken === fencingToken;
        return isMeant && lease.owner === owner;
      });
    },
  };

  readonly queue: LockQueue = {
    refreshEveryMs: REFRESH_EVERY_MS,
    ask: async (call, signal) => this.#ask(call, signal),
    refresh: async (keys, signal) => {
      this.#assertCallable(signal);
      return keys.filter((key) => this.#leases.get(key) === undefined);
    },
    leave: (call) => this.withdraw(call),
    listen: (listener) => {
      this.#queues.listen(listener);
    },
  };

  readonly views: LockViews = {
    get: async (key, signal) => {
      this.#assertCallable(signal);
      return this.#views.get(key);
    },
    list: async (call, signal) => {
      this.#assertCallable(signal);
      return this.#views.list(call);
    },
    forceRelease: async (call, signal) =>
      this.#release(call, signal, ({ fencingToken }) => fencingToken === call.grant.fencingToken),
  };

  async init(signal: AbortSignal): Promise<void> {
    this.#assertCallable(signal);
    this.#observer.up(true);
    this.#sweeper ??= setInterval(() => {
      this.#leases.sweep();
      this.#endedAttempts.sweep();
    }, SWEEP_INTERVAL_MS).unref();
  }

  async tryLock(call: TryLockCall, signal: CancelSignal): Promise<TryLockResult> {
    return this.#tryLock(call, signal);
  }

  async unlock(call: UnlockCall, signal: CancelSignal): Promise<UnlockOutcome> {
    return this.#release(call, signal, ({ owner }) => owner === call.owner);
  }

  async withdraw({ key, attempt }: Pick<UnlockCall, 'key' | 'attempt'>): Promise<void> {
    this.#endedAttempts.set(attempt.id, 'withdrawn', MEMORY_OF_ATTEMPTS_MS);
    const held = this.#leases.get(key)?.attemptId === attempt.id;
    if (held) this.#leases.delete(key);
    const led = this.#queues.leave(key, attempt.id);
    if (held || led) this.#queues.wake(key);
  }

  async ping(signal: AbortSignal): Promise<void> {
    this.#assertCallable(signal);
  }

  async close(): Promise<void> {
    if (!this.#isClosed) this.#observer.closed();
    this.#isClosed = true;
    clearInterval(this.#sweeper);
  }

  get size(): number {
    return this.#leases.size;
  }

  #tryLock(call: TryLockCall, signal: CancelSignal): TryLockResult {
    this.#assertUnended(call.attempt, signal);
    const { key, attempt } = call;
    const lease = this.#leases.get(key);
    const isLed = lease === undefined && this.#queues.isLedByOther(key, attempt.id);
    // The waiter may not know that a lease has expired.
    if (isLed) this.#queues.wake(key);
    const isOthers = lease !== undefined && lease.attemptId !== attempt.id;
    if (isLed || isOthers) return { acquired: false };
    return { acquired: true, grant: this.#leases.grant(call) };
  }

  #ask(call: AskCall, signal: CancelSignal): AskResult {
    if (call.waitUntilMs <= this.#now()) throw waitOver();
    const { grant } = this.#tryLock(call, signal);
    if (grant !== undefined) {
      this.#queues.leave(call.key, call.attempt.id);
      return { state: 'granted', grant };
    }
    const ahead = this.#queues.enter(call);
    return {
      state: 'queued',
      ahead,
      freeAtMs: this.#leases.get(call.key)?.validUntilMs ?? this.#now(),
    };
  }

  #release(
    { key, attempt }: UnlockCall | ForceReleaseCall,
    signal: CancelSignal,
    isNamed: (lease: Lease) => boolean,
  ): UnlockOutcome {
    this.#assertUnended(attempt, signal);
    if (this.#endedAttempts.get(attempt.id) === 'unlocked') return 'unlocked';
    const lease = this.#leases.get(key);
    if (lease === undefined) return 'not_found';
    if (!isNamed(lease)) return 'held_by_other';
    this.#leases.delete(key);
    this.#endedAttempts.set(attempt.id, 'unlocked', MEMORY_OF_ATTEMPTS_MS);
    this.#queues.wake(key);
    return 'unlocked';
  }

  #assertUnended({ id }: Attempt, signal: CancelSignal): void {
    this.#assertCallable(signal);
    if (this.#endedAttempts.get(id) === 'withdrawn') {
      throw notApplied('the attempt was withdrawn', 'rejected');
    }
  }

  #assertCallable(signal: CancelSignal): void {
    if (this.#isClosed) throw notApplied('the store is closed', 'closed');
    if (signal.aborted) throw notApplied('the caller is no longer waiting', 'deadline');
  }
}

function notApplied(message: string, kind: 'closed' | 'deadline' | 'rejected'): StoreError {
  return new StoreError(message, { kind, outcome: 'not-applied' });
}
