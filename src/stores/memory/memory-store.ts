import { type LockStore, StoreError } from '../../lock/lock-store';
import { LeaseTable } from './lease-table';

/** How often expired leases are dropped from memory, in milliseconds. */
const SWEEP_INTERVAL_MS = 1000;

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
export function createMemoryStore(options: { readonly now: () => number }): MemoryStore {
  const leases = new LeaseTable(options.now);
  let sweeper: NodeJS.Timeout | undefined;
  let closed = false;

  const assertCallable = (signal: AbortSignal): void => {
    if (closed) throw notApplied('the store is closed', 'closed');
    if (signal.aborted) throw notApplied('the caller has gone', 'deadline');
  };

  return {
    async init(signal) {
      assertCallable(signal);
      sweeper ??= setInterval(() => {
        leases.sweep();
      }, SWEEP_INTERVAL_MS).unref();
    },
    async tryLock({ key, owner, ttlMs }, signal) {
      assertCallable(signal);
      if (leases.ownerOf(key) !== undefined) return { acquired: false };
      leases.grant(key, { owner, ttlMs });
      return { acquired: true };
    },
    async unlock({ key, owner }, signal) {
      assertCallable(signal);
      const holder = leases.ownerOf(key);
      if (holder === undefined) return 'not-found';
      if (holder !== owner) return 'held-by-other';
      leases.release(key);
      return 'unlocked';
    },
    async ping(signal) {
      assertCallable(signal);
    },
    async close() {
      closed = true;
      clearInterval(sweeper);
    },
    get size() {
      return leases.size;
    },
  };
}

function notApplied(message: string, kind: 'closed' | 'deadline'): StoreError {
  return new StoreError(message, { kind, outcome: 'not-applied' });
}
