import type { TryLockCall } from '../../lock/lock-store';
import type { Grant, RenewCall, RenewResult } from '../../lock/store-abilities';
import { ExpiringMap } from './expiring-map';

/** A lease: owner, attempt, fencing token and expiry on the store's clock. */
export interface Lease extends Grant {
  readonly owner: string;
  readonly attemptId: string;
}

/** The clocks of a store, in milliseconds. */
export interface MemoryClocks {
  /** Monotonic clock. */
  readonly now: () => number;
  /**
   * Wall clock since 1970. Default: the machine's. It makes the tokens of a process greater than
   * those of the process before it.
   */
  readonly wallNow?: (() => number) | undefined;
}

/** The held leases and their fencing tokens. */
export class MemoryLeases {
  readonly #now: () => number;
  readonly #wallNow: () => number;
  readonly #leases: ExpiringMap<Lease>;
  #lastToken = 0;

  constructor({ now, wallNow = Date.now }: MemoryClocks) {
    this.#now = now;
    this.#wallNow = wallNow;
    this.#leases = new ExpiringMap(now);
  }

  /** The number of leases in memory. */
  get size(): number {
    return this.#leases.size;
  }

  /** The lease of a key. Undefined if the lock is free. */
  get(key: string): Lease | undefined {
    return this.#leases.get(key);
  }

  /** The keys of held locks. */
  keys(): readonly string[] {
    return this.#leases.keys();
  }

  /**
   * Grants a free lock. If this attempt already holds the lock, returns its grant, which a renewal
   * may have extended.
   */
  grant({ key, owner, ttlMs, attempt }: TryLockCall): Grant {
    const before = this.#leases.get(key);
    const fencingToken = before?.fencingToken ?? this.#drawToken();
    return this.#set(key, { owner, attemptId: attempt.id, fencingToken }, ttlMs);
  }

  /** Extends a lease to now + ttlMs, if that is later than its present end. */
  renew({ key, owner, fencingToken, ttlMs }: RenewCall): RenewResult {
    const lease = this.#leases.get(key);
    if (lease === undefined) return { status: 'not_found' };
    const isOther = fencingToken !== undefined && fencingToken !== lease.fencingToken;
    if (lease.owner !== owner || isOther) return { status: 'held_by_other' };
    return { status: 'renewed', grant: this.#set(key, lease, ttlMs) };
  }

  /** Releases a lock. */
  delete(key: string): void {
    this.#leases.delete(key);
  }

  /** Drops expired leases. */
  sweep(): void {
    this.#leases.sweep();
  }

  /** The expiry of a lease on the wall clock, in whole milliseconds. */
  toExpiry({ validUntilMs }: Lease): number {
    return Math.round(this.#wallNow() + validUntilMs - this.#now());
  }

  #set(key: string, lease: Omit<Lease, 'validUntilMs'>, ttlMs: number): Grant {
    const now = this.#now();
    const validUntilMs = Math.max(now + ttlMs, this.#leases.get(key)?.validUntilMs ?? 0);
    const { owner, attemptId, fencingToken } = lease;
    this.#leases.set(key, { owner, attemptId, fencingToken, validUntilMs }, validUntilMs - now);
    return { fencingToken, validUntilMs };
  }

  /** As on Redis: the time in microseconds, or the last token plus one if that is greater. */
  #drawToken(): number {
    this.#lastToken = Math.max(this.#lastToken + 1, Math.floor(this.#wallNow() * 1000));
    return this.#lastToken;
  }
}
