import { type Clock, processClock } from '../base/clock';
import type { LockCallReport, LockObserver } from '../lock/lock-observer';
import type { NumberFamily, NumberSeries } from './metric-families';

/**
 * How many single grants of a store are remembered, and how many characters of their names. Further
 * ones are not counted. All of them took 12 MB in a test.
 */
const MOST = { grants: 100_000, characters: 4 * 1024 * 1024 } as const;

/** A store has at least so many grants in memory before those that have lapsed are looked for. */
const FEWEST_TO_SWEEP = 1000;

/** How often lapsed grants are looked for where there is no room, in milliseconds. It takes some of them. */
const SWEEP_PAUSE_MS = 1000;

/**
 * The locks of one store that this sidecar has granted, and that were neither released nor have
 * lapsed as far as it knows. Locks of holds are counted exactly. For a single grant only its name and
 * end are kept; without a timer, as lapsed ones are dropped when somebody reads the number, or when
 * their memory has doubled.
 */
export class StoreHeldLocks implements NumberSeries {
  readonly #clock: Clock;
  /** When the lease of a single grant ends, by resource. */
  readonly #ends = new Map<string, number>();
  #sweepsAt = FEWEST_TO_SWEEP;
  #sweptAtMs = 0;
  #characters = 0;
  #holds = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many locks are held now. */
  get value(): number {
    this.#sweep();
    return this.#ends.size + this.#holds;
  }

  /** Adds a grant with a lease in milliseconds from now. An earlier one of the same lock is over by then. */
  granted(resourceId: string, leaseMs: number): void {
    if (!this.#ends.has(resourceId) && !this.#takesIn(resourceId)) return;
    this.#ends.set(resourceId, this.#clock.now() + leaseMs);
  }

  /** Moves the end of a grant of this sidecar to a later time. */
  renewed(resourceId: string, leaseMs: number): void {
    const known = this.#ends.get(resourceId);
    if (known === undefined) return;
    this.#ends.set(resourceId, Math.max(known, this.#clock.now() + leaseMs));
  }

  /** Records that nobody holds a lock any more. */
  released(resourceId: string): void {
    if (this.#ends.delete(resourceId)) this.#characters -= resourceId.length;
  }

  /** Adds holds that have their lock, or takes them off. A hold may outlive the series of its store. */
  changeHolds(change: number): void {
    this.#holds = Math.max(0, this.#holds + change);
  }

  #takesIn({ length }: string): boolean {
    if (this.#ends.size >= this.#sweepsAt) this.#sweep();
    if (!this.#hasRoomFor(length)) {
      if (this.#clock.now() - this.#sweptAtMs < SWEEP_PAUSE_MS) return false;
      this.#sweep();
      if (!this.#hasRoomFor(length)) return false;
    }
    this.#characters += length;
    return true;
  }

  #hasRoomFor(characters: number): boolean {
    const all = this.#characters + characters;
    return this.#ends.size < MOST.grants && all <= MOST.characters;
  }

  #sweep(): void {
    const nowMs = this.#clock.now();
    for (const [resourceId, endsAtMs] of this.#ends) {
      if (endsAtMs <= nowMs) this.released(resourceId);
    }
    this.#sweptAtMs = nowMs;
    this.#sweepsAt = Math.max(FEWEST_TO_SWEEP, 2 * this.#ends.size);
  }
}

/** Counts the locks that are held, by store. The series of a store begin and end with it. */
export class HeldLocks implements LockObserver {
  readonly #family: NumberFamily;
  readonly #appId: string;
  readonly #clock: Clock;
  readonly #stores = new Map<string, StoreHeldLocks>();

  constructor(family: NumberFamily, appId: string, clock: Clock = processClock) {
    this.#family = family;
    this.#appId = appId;
    this.#clock = clock;
  }

  /** Starts the series of a store at 0, if there is none. */
  begin(store: string): void {
    if (this.#stores.has(store)) return;
    const held = new StoreHeldLocks(this.#clock);
    this.#family.add(held, { app_id: this.#appId, store });
    this.#stores.set(store, held);
  }

  /** Ends the series of a removed store. */
  end(store: string): void {
    const held = this.#stores.get(store);
    if (held === undefined) return;
    this.#stores.delete(store);
    this.#family.end(held);
  }

  ended({ operation, outcome, storeName, resourceId, leaseMs = 0 }: LockCallReport): void {
    // The lock of a hold is counted while it is held.
    if (operation === 'hold') return;
    if (outcome === 'acquired') this.#stores.get(storeName)?.granted(resourceId, leaseMs);
    else if (outcome === 'unlocked' || outcome === 'not_found')
      this.#stores.get(storeName)?.released(resourceId);
    else if (outcome === 'renewed') this.#stores.get(storeName)?.renewed(resourceId, leaseMs);
  }

  holdBegan(store: string): void {
    this.#stores.get(store)?.changeHolds(1);
  }

  holdEnded({ storeName }: { readonly storeName: string }): void {
    this.#stores.get(storeName)?.changeHolds(-1);
  }
}
