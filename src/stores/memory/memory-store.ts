import type { CancelSignal } from '../../base/cancellation';
import type { Attempt } from '../../lock/attempt';
import { type LockStore, StoreError } from '../../lock/lock-store';
import { silentStoreObserver, type StoreObserver } from '../../lock/store-observer';
import { ExpiringMap } from './expiring-map';

/** How often expired leases are dropped from memory, in milliseconds. */
const SWEEP_INTERVAL_MS = 1000;

/**
 * How long an attempt that has ended is remembered, in milliseconds: as long as a call of the
 * other store may take, retries that a resiliency policy adds come within it.
 */
const MEMORY_OF_ATTEMPTS_MS = 10_000;

/** Who holds a key, and by which attempt. */
interface Lease {
  readonly owner: string;
  readonly attemptId: string;
}

/** An embedded lock store: its locks live in this process and end with it. */
export interface MemoryStore extends LockStore {
  /** How many leases are in memory, for tests of its bound. */
  readonly size: number;
}

/**
 * Makes the embedded store (`lock.in-memory`), for development and tests: nothing to install, but
 * two sidecars do not share it and a restart forgets every lock.
 *
 * @param options `now` is a monotonic clock in milliseconds
 */
export function createMemoryStore(options: {
  readonly now: () => number;
  readonly observer?: StoreObserver | undefined;
}): MemoryStore {
  const { observer = silentStoreObserver } = options;
  const leases = new ExpiringMap<Lease>(options.now);
  const endedAttempts = new ExpiringMap<'unlocked' | 'withdrawn'>(options.now);
  let sweeper: NodeJS.Timeout | undefined;
  let closed = false;

  const assertCallable = (signal: CancelSignal): void => {
    if (closed) throw notApplied('the store is closed', 'closed');
    if (signal.aborted) throw notApplied('the caller has gone', 'deadline');
  };
  const assertNotWithdrawn = ({ id }: Attempt): void => {
    if (endedAttempts.get(id) === 'withdrawn') {
      throw notApplied('the attempt was withdrawn', 'rejected');
    }
  };

  return {
    async init(signal) {
      assertCallable(signal);
      observer.up(true);
      sweeper ??= setInterval(() => {
        leases.sweep();
        endedAttempts.sweep();
      }, SWEEP_INTERVAL_MS).unref();
    },
    async tryLock({ key, owner, ttlMs, attempt }, signal) {
      assertCallable(signal);
      assertNotWithdrawn(attempt);
      const lease = leases.get(key);
      if (lease !== undefined && lease.attemptId !== attempt.id) return { acquired: false };
      leases.set(key, { owner, attemptId: attempt.id }, ttlMs);
      return { acquired: true };
    },
    async unlock({ key, owner, attempt }, signal) {
      assertCallable(signal);
      assertNotWithdrawn(attempt);
      if (endedAttempts.get(attempt.id) === 'unlocked') return 'unlocked';
      const lease = leases.get(key);
      if (lease === undefined) return 'not_found';
      if (lease.owner !== owner) return 'held_by_other';
      leases.delete(key);
      endedAttempts.set(attempt.id, 'unlocked', MEMORY_OF_ATTEMPTS_MS);
      return 'unlocked';
    },
    async withdraw({ key, attempt }) {
      if (leases.get(key)?.attemptId === attempt.id) leases.delete(key);
      endedAttempts.set(attempt.id, 'withdrawn', MEMORY_OF_ATTEMPTS_MS);
    },
    async ping(signal) {
      assertCallable(signal);
    },
    async close() {
      if (!closed) observer.closed();
      closed = true;
      clearInterval(sweeper);
    },
    get size() {
      return leases.size;
    },
  };
}

function notApplied(message: string, kind: 'closed' | 'deadline' | 'rejected'): StoreError {
  return new StoreError(message, { kind, outcome: 'not-applied' });
}
