/**
 * Width of a bucket in milliseconds. It limits how long an expired entry stays in memory, not how
 * exactly it expires.
 */
const BUCKET_MS = 1000;

interface Entry<V> {
  readonly value: V;
  /** Expiry time on the map's clock, in milliseconds. The entry is expired from this moment on. */
  readonly expiresAtMs: number;
}

/**
 * A map whose entries expire, exact to the millisecond. Its memory depends only on the number of
 * live entries. Keys are also listed in buckets by the second of their expiry, so that expired
 * entries are dropped a bucket at a time, without a timer or a scan for each. A deleted entry
 * leaves nothing behind.
 */
export class ExpiringMap<V> {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry<V>>();
  readonly #buckets = new Map<number, Set<string>>();

  /**
   * @param now a monotonic clock in milliseconds; a wall clock that is set back would revive
   * entries
   */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The number of entries in memory, including expired ones for a second or two. */
  get size(): number {
    return this.#entries.size;
  }

  /** The value of a key, unless its entry has expired. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#now() < entry.expiresAtMs ? entry.value : undefined;
  }

  /** The keys of live entries, in no particular order. */
  keys(): readonly string[] {
    const now = this.#now();
    return [...this.#entries]
      .filter(([, { expiresAtMs }]) => now < expiresAtMs)
      .map(([key]) => key);
  }

  /** Sets a value that expires after `ttlMs` milliseconds. */
  set(key: string, value: V, ttlMs: number): void {
    this.delete(key);
    const expiresAtMs = this.#now() + ttlMs;
    this.#entries.set(key, { value, expiresAtMs });
    const bucket = bucketOf(expiresAtMs);
    const keys = this.#buckets.get(bucket);
    if (keys === undefined) this.#buckets.set(bucket, new Set([key]));
    else keys.add(key);
  }

  /** Deletes a key. */
  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    const bucket = bucketOf(entry.expiresAtMs);
    const keys = this.#buckets.get(bucket);
    keys?.delete(key);
    if (keys?.size === 0) this.#buckets.delete(bucket);
  }

  /** Drops expired buckets. */
  sweep(): void {
    const current = bucketOf(this.#now());
    const due = [...this.#buckets.keys()].filter((bucket) => bucket < current);
    for (const bucket of due) this.#drop(bucket);
  }

  #drop(bucket: number): void {
    for (const key of this.#buckets.get(bucket) ?? []) this.#entries.delete(key);
    this.#buckets.delete(bucket);
  }
}

function bucketOf(timeMs: number): number {
  return Math.floor(timeMs / BUCKET_MS);
}
