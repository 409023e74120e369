import { setMaxListeners } from 'node:events';

import { whenOver } from '../base/race';
import type { LockStore } from '../lock/lock-store';
import type { StoreCatalog } from '../lock/store-catalog';

/** All stores that are open or about to be opened. */
export class OpenStores {
  readonly #stores = new Set<LockStore>();
  readonly #catalog: StoreCatalog;
  /** Aborts when the grace period ends. */
  readonly #grace = new AbortController();

  constructor(catalog: StoreCatalog) {
    this.#catalog = catalog;
    // Each closing store adds a listener, and there may be any number of stores.
    setMaxListeners(0, this.#grace.signal);
  }

  /** Adds a store. It must be closed later. */
  add(store: LockStore): void {
    this.#stores.add(store);
  }

  /** Closes a store that no call can have found yet. */
  async discard(store: LockStore): Promise<void> {
    await store.close();
    this.#stores.delete(store);
  }

  /** Closes a store that calls can no longer find, after the calls that found it have ended. */
  retire(store: LockStore): void {
    void this.#catalog.whenUnused(store).then(() => this.#close(store));
  }

  /** Closes all stores. After the grace period it does not wait for their calls. */
  async closeAll(grace: AbortSignal): Promise<void> {
    const release = whenOver({ signals: [grace] }, () => {
      this.#grace.abort();
    });
    await Promise.all([...this.#stores].map((store) => this.#close(store)));
    release();
  }

  async #close(store: LockStore): Promise<void> {
    await store.close(this.#grace.signal);
    this.#stores.delete(store);
  }
}
