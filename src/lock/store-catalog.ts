import type { LockKeyPrefix } from './lock-key';
import type { LockStore } from './lock-store';

/** A store that is ready to be called, under the name that clients use. */
export interface CatalogEntry {
  readonly name: string;
  readonly store: LockStore;
  readonly keyPrefix: LockKeyPrefix;
}

/** How many calls use a store, and whom to tell when none does. */
interface StoreUse {
  calls: number;
  readonly onUnused: (() => void)[];
}

/**
 * The stores that lock calls can name. An entry is added only once its store is initialised and
 * its prefix is valid: daprd publishes a store earlier and serves it although its component failed.
 *
 * A store may be replaced while calls use it: those go on with the one they have found, and
 * {@link StoreCatalog.whenUnused} tells when the last of them has ended. daprd takes the store
 * away from under them.
 */
export class StoreCatalog {
  readonly #entries = new Map<string, CatalogEntry>();
  readonly #uses = new Map<LockStore, StoreUse>();
  readonly #onRemoved: ((name: string) => void)[] = [];

  /** Publishes an entry; one of the same name is replaced. */
  add(entry: CatalogEntry): void {
    this.#entries.set(entry.name, entry);
  }

  /** Takes an entry away; later calls don't find it. */
  remove(name: string): void {
    if (!this.#entries.delete(name)) return;
    for (const onRemoved of this.#onRemoved) onRemoved(name);
  }

  /** Registers who is told that an entry was taken away, for as long as the catalogue lives; not of one that was replaced. */
  whenRemoved(onRemoved: (name: string) => void): void {
    this.#onRemoved.push(onRemoved);
  }

  /** The entry of that exact name. */
  find(name: string): CatalogEntry | undefined {
    return this.#entries.get(name);
  }

  /** Counts a call as a user of a store; {@link StoreCatalog.leave} is due when it has ended. */
  enter(store: LockStore): void {
    const use = this.#uses.get(store);
    if (use === undefined) this.#uses.set(store, { calls: 1, onUnused: [] });
    else use.calls += 1;
  }

  /** Counts a call off that has ended. */
  leave(store: LockStore): void {
    const use = this.#uses.get(store);
    if (use === undefined) return;
    use.calls -= 1;
    if (use.calls > 0 || use.onUnused.length === 0) return;
    this.#uses.delete(store);
    for (const onUnused of use.onUnused) onUnused();
  }

  /** Resolves once no call uses a store; for one that no later call can find. */
  whenUnused(store: LockStore): Promise<void> {
    const use = this.#uses.get(store);
    if (use === undefined || use.calls === 0) {
      this.#uses.delete(store);
      return Promise.resolve();
    }
    return new Promise((resolve) => use.onUnused.push(resolve));
  }

  /** The names of all entries, in the order in which they were added. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** True where no store is loaded: its own error in the catalogue. */
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }
}
