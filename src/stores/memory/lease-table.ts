/** Who holds a key, and until when. */
interface Lease {
  readonly owner: string;
  /** On the table's clock, in milliseconds; the lease is over at this moment. */
  readonly expiresAtMs: number;
}

/** Width of a bucket: how long an expired lease may stay in memory, not how exact its end is. */
const BUCKET_MS = 1000;

/**
 * Leases by key, exact to the millisecond. Memory is bounded by the leases that are live: keys also
 * stand in buckets by the second in which they expire, so that expired ones are dropped a bucket
 * at a time, without a timer or a scan for each of them, and a released one leaves nothing behind.
 */
export class LeaseTable {
  readonly #now: () => number;
  readonly #leases = new Map<string, Lease>();
  readonly #buckets = new Map<number, Set<string>>();

  /** @param now a monotonic clock in milliseconds: a wall clock that is set back would revive leases */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many leases are in memory; expired ones are among them for a second or two. */
  get size(): number {
    return this.#leases.size;
  }

  /** The owner of a key whose lease is not over, undefined where nobody holds it. */
  ownerOf(key: string): string | undefined {
    const lease = this.#leases.get(key);
    return lease !== undefined && this.#now() < lease.expiresAtMs ? lease.owner : undefined;
  }

  /** Gives a key to an owner; the caller has made sure that nobody holds it. */
  grant(key: string, lease: { readonly owner: string; readonly ttlMs: number }): void {
    this.release(key);
    const expiresAtMs = this.#now() + lease.ttlMs;
    this.#leases.set(key, { owner: lease.owner, expiresAtMs });
    const bucket = bucketOf(expiresAtMs);
    const keys = this.#buckets.get(bucket);
    if (keys === undefined) this.#buckets.set(bucket, new Set([key]));
    else keys.add(key);
  }

  /** Forgets a key, whoever holds it. */
  release(key: string): void {
    const lease = this.#leases.get(key);
    if (lease === undefined) return;
    this.#leases.delete(key);
    const bucket = bucketOf(lease.expiresAtMs);
    const keys = this.#buckets.get(bucket);
    keys?.delete(key);
    if (keys?.size === 0) this.#buckets.delete(bucket);
  }

  /** Drops the leases whose second is over. */
  sweep(): void {
    const current = bucketOf(this.#now());
    const due = [...this.#buckets.keys()].filter((bucket) => bucket < current);
    for (const bucket of due) this.#drop(bucket);
  }

  #drop(bucket: number): void {
    for (const key of this.#buckets.get(bucket) ?? []) this.#leases.delete(key);
    this.#buckets.delete(bucket);
  }
}

function bucketOf(timeMs: number): number {
  return Math.floor(timeMs / BUCKET_MS);
}
