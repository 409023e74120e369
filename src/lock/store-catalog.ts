import type { LockKeyPrefix } from './lock-key';
import type { LockStore } from './lock-store';

/** A store that is ready to be called, under the name that clients use. */
export interface CatalogEntry {
  readonly name: string;
  readonly store: LockStore;
  readonly keyPrefix: LockKeyPrefix;
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
  readonly #users = new Map<LockStore, { count: number; readonly onUnused: (() => void)[] }>();

  /** Publishes an entry; one of the same name is replaced. */
  add(entry: CatalogEntry): void {
    this.#entries.set(entry.name, entry);
  }

  /** Takes an entry away; later calls don't find it. */
  remove(name: string): void {
    this.#entries.delete(name);
  }

  /** The entry of that exact name. */
  find(name: string): CatalogEntry | undefined {
    return this.#entries.get(name);
  }

  /** Runs a call with an entry's store, which counts as used until the call has ended. */
  async use<T>({ store }: CatalogEntry, call: () => Promise<T>): Promise<T> {
    const users = this.#users.get(store) ?? { count: 0, onUnused: [] };
    users.count += 1;
    this.#users.set(store, users);
    try {
      return await call();
    } finally {
      users.count -= 1;
      if (users.count === 0) {
        this.#users.delete(store);
        for (const onUnused of users.onUnused) onUnused();
      }
    }
  }

  /** Resolves once no call uses a store. */
  whenUnused(store: LockStore): Promise<void> {
    const users = this.#users.get(store);
    if (users === undefined) return Promise.resolve();
    return new Promise((resolve) => users.onUnused.push(resolve));
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
