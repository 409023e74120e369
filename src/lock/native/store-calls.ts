import type { CancelSignal } from '../../base/cancellation';
import type { Admission } from '../admission';
import type { CallPolicy } from '../call-policy';
import { lockErrors } from '../lock-errors';
import { StoreError } from '../lock-store';
import type { CatalogEntry, StoreCatalog } from '../store-catalog';

/** What single calls to a store are run by. */
export interface StoreCallsOptions {
  readonly stores: StoreCatalog;
  readonly policyOf: (storeName: string) => CallPolicy;
  readonly admission: Admission;
}

/** One call to a store. */
export interface StoreCall<T> {
  readonly entry: CatalogEntry;
  readonly run: (signal: CancelSignal) => Promise<T>;
  readonly signal: CancelSignal;
  /** Undoes what it may have done, where its outcome is unknown; left out where repeating it does no harm. */
  readonly undo?: () => Promise<void>;
  /** False where the call has taken a place of another bound. */
  readonly isAdmitted?: boolean;
}

/** Runs single calls to stores: under the bound of unary calls and the policies of their store, as Dapr's calls are. */
export class StoreCalls {
  readonly #options: StoreCallsOptions;

  constructor(options: StoreCallsOptions) {
    this.#options = options;
  }

  /** The policy of a store, which is looked up at each call: a reload may change it in the middle of a wait or a hold. */
  policyFor(storeName: string): CallPolicy {
    const { policyOf } = this.#options;
    return { run: (call, signal) => policyOf(storeName).run(call, signal) };
  }

  /** Runs a call to its end; rejects with what it failed with. The caller does not wait for what is undone. */
  async run<T>(call: StoreCall<T>): Promise<T> {
    if (call.isAdmitted === false) return this.#send(call);
    const { admission } = this.#options;
    if (!admission.enter()) {
      await admission.nextTurn();
      throw lockErrors.overloaded(admission.bound);
    }
    try {
      return await this.#send(call);
    } finally {
      admission.leave();
    }
  }

  async #send<T>({ entry, run, signal, undo }: StoreCall<T>): Promise<T> {
    const { stores, policyOf } = this.#options;
    stores.enter(entry.store);
    try {
      return await policyOf(entry.name).run(run, signal);
    } catch (error) {
      const nothingToUndo = error instanceof StoreError && error.outcome === 'not-applied';
      // The store says in the log what it could not withdraw before it was closed.
      if (!nothingToUndo) undo?.().catch(() => undefined);
      throw error;
    } finally {
      stores.leave(entry.store);
    }
  }
}
