/** Width of a bucket: how long an expired entry may stay in memory, not how exact its end is. */
const BUCKET_MS = 1000;

interface Entry<V> {
  readonly value: V;
  /** On the map's clock, in milliseconds; the entry is over at this moment. */
  readonly expiresAtMs: number;
}

/**
 * A map whose entries expire, exact to the millisecond. Memory is bounded by the entries that are
 * live: keys also stand in buckets by the second in which they expire, so that expired ones are
 * dropped a bucket at a time, without a timer or a scan for each, and a deleted one leaves nothing.
 */
export class ExpiringMap<V> {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry<V>>();
  readonly #buckets = new Map<number, Set<string>>();

  /** @param now a monotonic clock in milliseconds: a wall clock that is set back would revive entries */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many entries are in memory; expired ones are among them for a second or two. */
  get size(): number {
    return this.#entries.size;
  }

  /** The value of a key whose entry is not over. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#now() < entry.expiresAtMs ? entry.value : undefined;
  }

  /** The keys whose entries are not over, in no order. */
  keys(): readonly string[] {
    const now = this.#now();
    return [...this.#entries]
      .filter(([, { expiresAtMs }]) => now < expiresAtMs)
      .map(([key]) => key);
  }

  /** Sets a value for so many milliseconds from now. */
  set(key: string, value: V, ttlMs: number): void {
    this.delete(key);
    const expiresAtMs = this.#now() + ttlMs;
    this.#entries.set(key, { value, expiresAtMs });
    const bucket = bucketOf(expiresAtMs);
    const keys = this.#buckets.get(bucket);
    if (keys === undefined) this.#buckets.set(bucket, new Set([key]));
    else keys.add(key);
  }

  /** Forgets a key. */
  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    const bucket = bucketOf(entry.expiresAtMs);
    const keys = this.#buckets.get(bucket);
    keys?.delete(key);
    if (keys?.size === 0) this.#buckets.delete(bucket);
  }

  /** Drops the entries whose second is over. */
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
