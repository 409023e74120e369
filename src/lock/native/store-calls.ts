import type { CancelSignal } from '../../base/cancellation';
import type { Admission } from '../admission';
import type { CallPolicy } from '../call-policy';
import { lockErrors } from '../lock-errors';
import { StoreError } from '../lock-store';
import type { CatalogEntry, StoreCatalog } from '../store-catalog';
import type { FirstAsks } from '../waiting/first-asks';

/** The dependencies of {@link StoreCalls}. */
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
  /** Undoes the call if its outcome is unknown. Omitted if repeating the call does no harm. */
  readonly undo?: () => Promise<void>;
  /** The turns of a call that is already counted by another limit than that of unary calls. */
  readonly firstAsks?: FirstAsks | undefined;
}

/**
 * Runs single calls to stores under the limit of unary calls and the policies of their store, like
 * the calls of Dapr's API.
 */
export class StoreCalls {
  readonly #options: StoreCallsOptions;
  /** By the name of the store. Each hold keeps one, and there may be ten thousand. */
  readonly #policies = new Map<string, CallPolicy>();

  constructor(options: StoreCallsOptions) {
    this.#options = options;
  }

  /**
   * The policy of a store that is in the catalogue. It is looked up for each call, because a reload
   * may change it during a wait or a hold.
   */
  policyFor(storeName: string): CallPolicy {
    const known = this.#policies.get(storeName);
    if (known !== undefined) return known;
    const { policyOf } = this.#options;
    const policy: CallPolicy = { run: (call, signal) => policyOf(storeName).run(call, signal) };
    this.#policies.set(storeName, policy);
    return policy;
  }

  /** Runs a call. Rejects with its error. The caller does not wait until the call is undone. */
  async run<T>(call: StoreCall<T>): Promise<T> {
    if (call.firstAsks !== undefined) return this.#send(call);
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

  async #send<T>({ entry, run, signal, undo, firstAsks }: StoreCall<T>): Promise<T> {
    const { stores } = this.#options;
    const policy = this.policyFor(entry.name);
    stores.enter(entry.store);
    try {
      return await (firstAsks?.inTurn(policy) ?? policy).run(run, signal);
    } catch (error) {
      const nothingToUndo = error instanceof StoreError && error.outcome === 'not-applied';
      // The store logs what it could not withdraw before it was closed.
      if (!nothingToUndo) undo?.().catch(() => undefined);
      throw error;
    } finally {
      stores.leave(entry.store);
    }
  }
}
