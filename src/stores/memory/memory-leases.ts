import type { TryLockCall } from '../../lock/lock-store';
import type { Grant, RenewCall, RenewResult } from '../../lock/store-abilities';
import { ExpiringMap } from './expiring-map';

/** Who holds a key, by which attempt, with which token, and until when on the store's clock. */
export interface Lease extends Grant {
  readonly owner: string;
  readonly attemptId: string;
}

/** The clocks of a store, in milliseconds. */
export interface MemoryClocks {
  /** Monotonic. */
  readonly now: () => number;
  /** Since 1970: tokens of a process exceed those of the one before it. That of the machine by default. */
  readonly wallNow?: (() => number) | undefined;
}

/** The leases that are held, and their tokens. */
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

  /** How many leases are in memory. */
  get size(): number {
    return this.#leases.size;
  }

  /** The lease of a key, undefined where it is free. */
  get(key: string): Lease | undefined {
    return this.#leases.get(key);
  }

  /** The keys that are held. */
  keys(): readonly string[] {
    return this.#leases.keys();
  }

  /** Grants a free lock, or knows the grant of this attempt again, which a renewal may have prolonged. */
  grant({ key, owner, ttlMs, attempt }: TryLockCall): Grant {
    const before = this.#leases.get(key);
    const fencingToken = before?.fencingToken ?? this.#drawToken();
    return this.#set(key, { owner, attemptId: attempt.id, fencingToken }, ttlMs);
  }

  /** Moves the end of a lease to now + ttlMs where that is later. */
  renew({ key, owner, fencingToken, ttlMs }: RenewCall): RenewResult {
    const lease = this.#leases.get(key);
    if (lease === undefined) return { status: 'not_found' };
    const isOther = fencingToken !== undefined && fencingToken !== lease.fencingToken;
    if (lease.owner !== owner || isOther) return { status: 'held_by_other' };
    return { status: 'renewed', grant: this.#set(key, lease, ttlMs) };
  }

  /** Frees a lock. */
  delete(key: string): void {
    this.#leases.delete(key);
  }

  /** Drops leases that are over. */
  sweep(): void {
    this.#leases.sweep();
  }

  /** The end of a lease on the wall clock, in whole milliseconds. */
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

  /** As on Redis: the time in microseconds, or one more than the last. */
  #drawToken(): number {
    this.#lastToken = Math.max(this.#lastToken + 1, Math.floor(this.#wallNow() * 1000));
    return this.#lastToken;
  }
}
