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
 */
export class StoreCatalog {
  readonly #entries = new Map<string, CatalogEntry>();

  /** Publishes an entry; one of the same name is replaced. */
  add(entry: CatalogEntry): void {
    this.#entries.set(entry.name, entry);
  }

  /** The entry of that exact name. */
  find(name: string): CatalogEntry | undefined {
    return this.#entries.get(name);
  }

  /** The names of all entries, in the order in which they were added. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** True where no store was ever loaded: its own error in the catalogue. */
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }
}
