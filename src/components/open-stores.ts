import { setMaxListeners } from 'node:events';

import { whenOver } from '../base/race';
import type { LockStore } from '../lock/lock-store';
import type { StoreCatalog } from '../lock/store-catalog';

/** Every store that was opened, or is about to be, and is not closed yet. */
export class OpenStores {
  readonly #stores = new Set<LockStore>();
  readonly #catalog: StoreCatalog;
  /** Aborts when nothing is waited for any more. */
  readonly #grace = new AbortController();

  constructor(catalog: StoreCatalog) {
    this.#catalog = catalog;
    // Each store that is closing listens, and a sidecar may have any number of them.
    setMaxListeners(0, this.#grace.signal);
  }

  /** Notes a store, which is to be closed from now on. */
  add(store: LockStore): void {
    this.#stores.add(store);
  }

  /** Closes a store that nobody has found yet. */
  async discard(store: LockStore): Promise<void> {
    await store.close();
    this.#stores.delete(store);
  }

  /** Closes a store that nobody finds any more, once the calls that have found it have ended. */
  retire(store: LockStore): void {
    void this.#catalog.whenUnused(store).then(() => this.#close(store));
  }

  /** Closes all of them; once the grace is over without waiting for their calls. */
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
