/**
 * Receives events about the connection of a store to its server. Metrics use it, so that stores
 * don't depend on them. Must not throw.
 */
export interface StoreObserver {
  /** True when the server can be used, false when it can't be reached. */
  up(isUp: boolean): void;
  /** The server can be reached again. */
  reconnected(): void;
  /** An attempt whose outcome is unknown is being undone. */
  withdrawn(): void;
  /** The store is closed. Its previous state no longer counts. */
  closed(): void;
}

/** An observer that does nothing. */
export const silentStoreObserver: StoreObserver = {
  up: () => undefined,
  reconnected: () => undefined,
  withdrawn: () => undefined,
  closed: () => undefined,
};
