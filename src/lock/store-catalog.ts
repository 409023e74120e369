import type { LockKeyPrefix } from './lock-key';
import type { LockStore } from './lock-store';

/** A store that is ready to be called, under the name that clients use. */
export interface CatalogEntry {
  readonly name: string;
  readonly store: LockStore;
  readonly keyPrefix: LockKeyPrefix;
}

/** The number of calls that use a store, and the callbacks for when none does. */
interface StoreUse {
  calls: number;
  readonly onUnused: (() => void)[];
}

/**
 * The stores that lock calls can name. An entry is added only after its store was initialised and
 * its prefix was validated. daprd publishes a store earlier, and serves it although its component
 * failed.
 *
 * A store can be replaced while calls use it. They continue with the store that they found, and
 * {@link StoreCatalog.whenUnused} resolves when the last of them has ended. daprd closes the store
 * under them.
 */
export class StoreCatalog {
  readonly #entries = new Map<string, CatalogEntry>();
  readonly #uses = new Map<LockStore, StoreUse>();
  readonly #onRemoved: ((name: string) => void)[] = [];

  /** Publishes an entry. Replaces an entry of the same name. */
  add(entry: CatalogEntry): void {
    this.#entries.set(entry.name, entry);
  }

  /** Removes an entry. Later calls don't find it. */
  remove(name: string): void {
    if (!this.#entries.delete(name)) return;
    for (const onRemoved of this.#onRemoved) onRemoved(name);
  }

  /**
   * Registers a callback for removed entries, for the life of the catalogue. It is not called for
   * replaced entries.
   */
  whenRemoved(onRemoved: (name: string) => void): void {
    this.#onRemoved.push(onRemoved);
  }

  /** The entry with exactly this name. */
  find(name: string): CatalogEntry | undefined {
    return this.#entries.get(name);
  }

  /** Counts a call that uses a store. Call {@link StoreCatalog.leave} when it has ended. */
  enter(store: LockStore): void {
    const use = this.#uses.get(store);
    if (use === undefined) this.#uses.set(store, { calls: 1, onUnused: [] });
    else use.calls += 1;
  }

  /** Removes a call that has ended. */
  leave(store: LockStore): void {
    const use = this.#uses.get(store);
    if (use === undefined) return;
    use.calls -= 1;
    if (use.calls > 0 || use.onUnused.length === 0) return;
    this.#uses.delete(store);
    for (const onUnused of use.onUnused) onUnused();
  }

  /** Resolves when no call uses a store. For a store that later calls can't find. */
  whenUnused(store: LockStore): Promise<void> {
    const use = this.#uses.get(store);
    if (use === undefined || use.calls === 0) {
      this.#uses.delete(store);
      return Promise.resolve();
    }
    return new Promise((resolve) => use.onUnused.push(resolve));
  }

  /** The names of all entries, in order of their addition. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** True if no store is loaded, which has its own error. */
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }
}
