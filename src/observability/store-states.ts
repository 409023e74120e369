import type { StoreObserver } from '../lock/store-observer';

/** Whether a store's server can be used, and since when on the monotonic clock. */
export interface StoreState {
  readonly isUp: boolean;
  readonly sinceMs: number;
}

/**
 * Whether the server of each store can be used. While a store is replaced, two instances have the
 * same name; the store counts as up if one of them is.
 */
export class StoreStates {
  readonly #now: () => number;
  readonly #onGone: (store: string) => void;
  readonly #instances = new Map<string, Map<symbol, boolean>>();
  readonly #states = new Map<string, StoreState>();

  /**
   * @param now a monotonic clock in milliseconds
   * @param onGone called when the last instance of a store is closed
   */
  constructor(now: () => number, onGone: (store: string) => void) {
    this.#now = now;
    this.#onGone = onGone;
  }

  /** The names of all stores with an open instance. */
  get names(): readonly string[] {
    return [...this.#states.keys()];
  }

  /** The state of a store. Down since now if there is none with this name. */
  of(store: string): StoreState {
    return this.#states.get(store) ?? { isUp: false, sinceMs: this.#now() };
  }

  /** Observes one instance of a store. */
  observerOf(store: string): Pick<StoreObserver, 'up' | 'closed'> {
    const instance = Symbol(store);
    return {
      up: (isUp) => {
        const instances = this.#instances.get(store) ?? new Map<symbol, boolean>();
        this.#instances.set(store, instances.set(instance, isUp));
        this.#follow(store, instances);
      },
      closed: () => {
        const instances = this.#instances.get(store);
        if (instances?.delete(instance) === true) this.#follow(store, instances);
      },
    };
  }

  #follow(store: string, instances: ReadonlyMap<symbol, boolean>): void {
    if (instances.size === 0) {
      this.#instances.delete(store);
      this.#states.delete(store);
      this.#onGone(store);
      return;
    }
    const isUp = [...instances.values()].includes(true);
    if (this.#states.get(store)?.isUp === isUp) return;
    this.#states.set(store, { isUp, sinceMs: this.#now() });
  }
}
