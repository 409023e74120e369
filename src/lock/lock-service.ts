import type { CancelSignal } from '../base/cancellation';
import { Admission } from './admission';
import { createAttempt } from './attempt';
import { type CallPolicy, plainPolicy } from './call-policy';
import { type LockError, lockErrors } from './lock-errors';
import { LockKeyError, toLockKey } from './lock-key';
import type { LockCallSubject, LockObserver } from './lock-observer';
import {
  type LockStore,
  StoreError,
  type TryLockCall,
  type UnlockCall,
  type UnlockOutcome,
} from './lock-store';
import { ObservedLockCall } from './observed-lock-call';
import type { CatalogEntry, StoreCatalog } from './store-catalog';

/** A decoded TryLockAlpha1 request of either transport. Nothing is validated yet. */
export interface TryLockRequest {
  readonly storeName: string;
  readonly resourceId: string;
  readonly lockOwner: string;
  /** Whole seconds, valid from 1 to 2147483647 (int32 on the wire). */
  readonly expiryInSeconds: number;
}

/** A decoded UnlockAlpha1 request of either transport. Nothing is validated yet. */
export type UnlockRequest = Omit<TryLockRequest, 'expiryInSeconds'>;

/** The answer to a TryLockAlpha1. */
export interface TryLockAnswer {
  readonly success: boolean;
  /** Present with a success if the store issues tokens. */
  readonly fencingToken?: number | undefined;
}

/** Dapr's UnlockResponse.Status numbers. Holdfast never answers 3 (INTERNAL_ERROR). */
export type UnlockStatus = 0 | 1 | 2;

/**
 * The lock building block: one implementation for all transports. A transport decodes, calls this,
 * and encodes. Every rejection is a {@link LockError}. A held lock is a value, not an error.
 */
export interface LockService {
  /** Tries once to take a lock. */
  tryLock(request: TryLockRequest, caller: Caller): Promise<TryLockAnswer>;
  /** Releases a lock. */
  unlock(request: UnlockRequest, caller: Caller): Promise<{ readonly status: UnlockStatus }>;
}

/** The caller of a lock call. */
export interface Caller {
  /**
   * Aborts when the caller cancels or disconnects, or its deadline passes. If the caller leaves
   * before any byte of the answer was handed to the socket, a transport aborts it even after the
   * call has resolved. It never aborts later than that.
   */
  readonly signal: CancelSignal;
  /** An additional observer for this call. */
  readonly observer?: LockObserver | undefined;
}

const UNLOCK_STATUS: Readonly<Record<UnlockOutcome, UnlockStatus>> = {
  unlocked: 0,
  not_found: 1,
  held_by_other: 2,
};

/**
 * The message for an exception that is not a {@link StoreError}. Such an exception is a bug, and
 * its text is only logged.
 */
const UNEXPECTED = 'internal error, the outcome is unknown';

/** The dependencies of the lock service. */
export interface LockServiceOptions {
  readonly stores: StoreCatalog;
  /** The policy for calls to a store, by its name. Without it, calls run plainly. */
  readonly policyOf?: (storeName: string) => CallPolicy;
  readonly observers: readonly LockObserver[];
  /** Limit of concurrent calls, see {@link Admission}. No limit if missing. */
  readonly maxConcurrentCalls?: number | undefined;
  /** A limit that is shared with other calls, instead of `maxConcurrentCalls`. */
  readonly admission?: Admission | undefined;
}

/** Creates the {@link LockService} for a catalogue of stores. */
export function createLockService(options: LockServiceOptions): LockService {
  return new StoreLockService(options);
}

class StoreLockService implements LockService {
  readonly #stores: StoreCatalog;
  readonly #policyOf: (storeName: string) => CallPolicy;
  readonly #observers: readonly LockObserver[];
  readonly #admission: Admission;

  constructor(options: LockServiceOptions) {
    this.#stores = options.stores;
    this.#policyOf = options.policyOf ?? (() => plainPolicy);
    this.#observers = options.observers;
    this.#admission = options.admission ?? new Admission(options.maxConcurrentCalls ?? Infinity);
  }

  async tryLock(request: TryLockRequest, caller: Caller): Promise<TryLockAnswer> {
    const observed = this.#observe('tryLock', request, caller);
    try {
      const { entry, key } = resolveTryLock(this.#stores, request);
      const { store } = entry;
      const call: TryLockCall = {
        key,
        owner: request.lockOwner,
        ttlMs: request.expiryInSeconds * 1000,
        attempt: createAttempt(),
      };
      const { acquired, grant } = await this.#attempt(
        { entry, call, failed: lockErrors.tryLockFailed },
        { run: tryLockAt(store, call), caller },
      );
      if (acquired) withdrawIfUnheard(caller.signal, store, call);
      observed.ended(acquired ? 'acquired' : 'refused');
      return { success: acquired, fencingToken: grant?.fencingToken };
    } catch (error) {
      throw observed.failed(error);
    }
  }

  async unlock(request: UnlockRequest, caller: Caller): Promise<{ readonly status: UnlockStatus }> {
    const observed = this.#observe('unlock', request, caller);
    try {
      const { entry, key } = resolveUnlock(this.#stores, request);
      const { store } = entry;
      const call: UnlockCall = { key, owner: request.lockOwner, attempt: createAttempt() };
      const outcome = await this.#attempt(
        { entry, call, failed: lockErrors.unlockFailed },
        { run: (signal) => store.unlock(call, signal), caller },
      );
      observed.ended(outcome);
      return { status: UNLOCK_STATUS[outcome] };
    } catch (error) {
      throw observed.failed(error);
    }
  }

  #observe(
    operation: LockCallSubject['operation'],
    request: UnlockRequest & Partial<TryLockRequest>,
    { observer }: Caller,
  ): ObservedLockCall {
    const { storeName, resourceId, lockOwner, expiryInSeconds } = request;
    const isKnownStore = this.#stores.find(storeName) !== undefined;
    const leaseMs = expiryInSeconds === undefined ? undefined : expiryInSeconds * 1000;
    const subject = { operation, storeName, isKnownStore, resourceId, lockOwner, leaseMs };
    const observers = observer === undefined ? this.#observers : [...this.#observers, observer];
    return new ObservedLockCall(observers, subject);
  }

  /**
   * Converts a store's failures to the error catalogue. If a call ends here and its attempt may
   * have taken effect, or may do so later, the attempt is withdrawn. The caller does not wait for
   * that: it is told at once that the outcome is unknown.
   */
  async #attempt<T>(
    { entry, call, failed }: AttemptedCall,
    {
      run,
      caller,
    }: { readonly run: (signal: CancelSignal) => Promise<T>; readonly caller: Caller },
  ): Promise<T> {
    const { store, name } = entry;
    if (!this.#admission.enter()) {
      await this.#admission.nextTurn();
      throw lockErrors.overloaded(this.#admission.bound);
    }
    this.#stores.enter(store);
    try {
      return await this.#policyOf(name).run(run, caller.signal);
    } catch (error) {
      const nothingToUndo = error instanceof StoreError && error.outcome === 'not-applied';
      // The store logs what it could not withdraw before it was closed.
      if (!nothingToUndo) store.withdraw(call).catch(() => undefined);
      throw failed(error instanceof StoreError ? error.message : UNEXPECTED, error);
    } finally {
      this.#stores.leave(store);
      this.#admission.leave();
    }
  }
}

/** A call to a store, and the catalogue row for its failure. */
interface AttemptedCall {
  readonly entry: CatalogEntry;
  readonly call: TryLockCall | UnlockCall;
  readonly failed: FailureRow;
}

function resolveTryLock(stores: StoreCatalog, request: TryLockRequest) {
  // daprd checks the expiry even before it checks that there is a store.
  if (request.expiryInSeconds <= 0) throw lockErrors.expiryNotPositive(request.storeName);
  return resolve(stores, request, lockErrors.tryLockFailed);
}

function resolveUnlock(stores: StoreCatalog, request: UnlockRequest) {
  return resolve(stores, request, lockErrors.unlockFailed);
}

type FailureRow = (reason: string, cause: unknown) => LockError;

/** Checks a request in daprd's order, and finds its store and key. */
function resolve(stores: StoreCatalog, request: UnlockRequest, failed: FailureRow) {
  const { storeName, resourceId, lockOwner } = request;
  if (stores.isEmpty) throw lockErrors.storesNotConfigured();
  if (resourceId === '') throw lockErrors.resourceIdEmpty(storeName);
  if (lockOwner === '') throw lockErrors.lockOwnerEmpty(storeName);
  const entry = stores.find(storeName);
  if (entry === undefined) throw lockErrors.storeNotFound(storeName);
  return { entry, key: keyOf(entry, resourceId, failed) };
}

function keyOf(entry: CatalogEntry, resourceId: string, failed: FailureRow): string {
  try {
    return toLockKey(entry.keyPrefix, resourceId);
  } catch (error) {
    if (error instanceof LockKeyError) throw failed(error.message, error);
    throw error;
  }
}

/**
 * Takes a lock for a caller who may leave in the meantime. Otherwise a lock that nobody hears about
 * would be held until it expires.
 */
function tryLockAt(store: LockStore, call: TryLockCall) {
  return (signal: CancelSignal) =>
    store.tryLock(call, signal).then((result) => {
      if (!result.acquired || !signal.aborted) return result;
      const reason = 'the caller is no longer waiting';
      throw new StoreError(reason, { kind: 'deadline', outcome: 'unknown', reason });
    });
}

/**
 * Withdraws a granted lock if its caller leaves before the answer reached the socket. A cancel may
 * be read in the same turn as the store's reply.
 */
function withdrawIfUnheard(signal: CancelSignal, store: LockStore, call: TryLockCall): void {
  const withdraw = () => {
    // The store logs what it could not withdraw before it was closed.
    store.withdraw(call).catch(() => undefined);
  };
  if (signal.aborted) withdraw();
  else signal.addEventListener('abort', withdraw);
}
