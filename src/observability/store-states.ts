import type { StoreObserver } from '../lock/store-observer';

/** Whether a store's server can be used, and since when on the monotonic clock. */
export interface StoreState {
  readonly isUp: boolean;
  readonly sinceMs: number;
}

/** Whom the states are for. */
export interface StoreStatesOptions {
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** Called when a store has its first state, and when that changes. */
  readonly onState?: (store: string, isUp: boolean) => void;
  /** Called when the last instance of a store is closed. */
  readonly onGone: (store: string) => void;
}

/**
 * Whether the server of each store can be used. While a store is replaced, two instances have the
 * same name; the store counts as up if one of them is.
 */
export class StoreStates {
  readonly #options: StoreStatesOptions;
  readonly #instances = new Map<string, Map<symbol, boolean>>();
  readonly #states = new Map<string, StoreState>();

  constructor(options: StoreStatesOptions) {
    this.#options = options;
  }

  /** The names of all stores with an open instance. */
  get names(): readonly string[] {
    return [...this.#states.keys()];
  }

  /** The state of a store. Down since now if there is none with this name. */
  of(store: string): StoreState {
    return this.#states.get(store) ?? { isUp: false, sinceMs: this.#options.now() };
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
      this.#options.onGone(store);
      return;
    }
    const isUp = [...instances.values()].includes(true);
    if (this.#states.get(store)?.isUp === isUp) return;
    this.#states.set(store, { isUp, sinceMs: this.#options.now() });
    this.#options.onState?.(store, isUp);
  }
}
