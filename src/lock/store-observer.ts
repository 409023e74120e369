/**
 * Is told how a store's way to its server fares; this is how metrics learn of it without the
 * stores knowing them. Must not throw.
 */
export interface StoreObserver {
  /** True once the server can be used, false once it is away. */
  up(isUp: boolean): void;
  /** The server is back after it was away. */
  reconnected(): void;
  /** An attempt whose outcome is unknown is being undone. */
  withdrawn(): void;
  /** The store is closed: what it was told to be does not count any more. */
  closed(): void;
}

/** For stores that nobody watches. */
export const silentStoreObserver: StoreObserver = {
  up: () => undefined,
  reconnected: () => undefined,
  withdrawn: () => undefined,
  closed: () => undefined,
};
