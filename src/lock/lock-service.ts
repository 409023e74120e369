import type { CancelSignal } from '../base/cancellation';
import { Admission } from './admission';
import { createAttempt } from './attempt';
import { type CallPolicy, plainPolicy } from './call-policy';
import { LockError, lockErrors } from './lock-errors';
import { LockKeyError, toLockKey } from './lock-key';
import type { LockCallReport, LockCallSubject, LockObserver, LockOutcome } from './lock-observer';
import {
  type LockStore,
  StoreError,
  type TryLockCall,
  type UnlockCall,
  type UnlockOutcome,
} from './lock-store';
import type { CatalogEntry, StoreCatalog } from './store-catalog';

/** A TryLockAlpha1 request as either transport decoded it; nothing is validated yet. */
export interface TryLockRequest {
  readonly storeName: string;
  readonly resourceId: string;
  readonly lockOwner: string;
  /** Whole seconds, 1 to 2147483647 where valid (the wire's int32). */
  readonly expiryInSeconds: number;
}

/** An UnlockAlpha1 request as either transport decoded it; nothing is validated yet. */
export type UnlockRequest = Omit<TryLockRequest, 'expiryInSeconds'>;

/** Dapr's UnlockResponse.Status numbers; 3 (INTERNAL_ERROR) never leaves Holdfast. */
export type UnlockStatus = 0 | 1 | 2;

/**
 * The lock building block: one implementation behind every transport. A transport decodes,
 * delegates here and encodes; every rejection is a {@link LockError}, contention is a value.
 */
export interface LockService {
  /** Tries once for a lock. */
  tryLock(request: TryLockRequest, caller: Caller): Promise<{ readonly success: boolean }>;
  /** Releases a lock. */
  unlock(request: UnlockRequest, caller: Caller): Promise<{ readonly status: UnlockStatus }>;
}

/** Who makes a call. */
export interface Caller {
  /**
   * Aborts when the caller is no longer waiting or its deadline has passed. A transport aborts it even after the
   * call has resolved, where the caller left before any byte of the answer was handed to the socket;
   * never after that.
   */
  readonly signal: CancelSignal;
  /** Is told of this call beside those who are told of every call. */
  readonly observer?: LockObserver | undefined;
}

const UNLOCK_STATUS: Readonly<Record<UnlockOutcome, UnlockStatus>> = {
  unlocked: 0,
  not_found: 1,
  held_by_other: 2,
};

/** Shown for an exception that is no {@link StoreError}: a defect, whose text is for the log. */
const UNEXPECTED = 'internal error, the outcome is unknown';

/** What the lock service stands on. */
export interface LockServiceOptions {
  readonly stores: StoreCatalog;
  /** How calls to a store are run, by its name; plainly where this is left out. */
  readonly policyOf?: (storeName: string) => CallPolicy;
  readonly observers: readonly LockObserver[];
  /** The most calls under way at a time, see {@link Admission}; no bound where this is left out. */
  readonly maxConcurrentCalls?: number | undefined;
}

/** Makes the {@link LockService} over a catalogue of stores. */
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
    this.#admission = new Admission(options.maxConcurrentCalls ?? Infinity);
  }

  async tryLock(request: TryLockRequest, caller: Caller): Promise<{ readonly success: boolean }> {
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
      const { acquired } = await this.#attempt(
        { entry, call, failed: lockErrors.tryLockFailed },
        { run: tryLockAt(store, call), caller },
      );
      if (acquired) withdrawIfUnheard(caller.signal, store, call);
      observed.ended(acquired ? 'acquired' : 'refused');
      return { success: acquired };
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
    request: UnlockRequest,
    { observer }: Caller,
  ): ObservedLockCall {
    const { storeName, resourceId, lockOwner } = request;
    const isKnownStore = this.#stores.find(storeName) !== undefined;
    const subject = { operation, storeName, isKnownStore, resourceId, lockOwner };
    const observers = observer === undefined ? this.#observers : [...this.#observers, observer];
    return new ObservedLockCall(observers, subject);
  }

  /**
   * The border between a store's failures and the error catalogue. The attempt of a call that ends
   * here for good, and may have taken effect or may yet, is withdrawn. The caller does not wait for
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
      // The store says in the log what it could not withdraw before it was closed.
      if (!nothingToUndo) store.withdraw(call).catch(() => undefined);
      throw failed(error instanceof StoreError ? error.message : UNEXPECTED, error);
    } finally {
      this.#stores.leave(store);
      this.#admission.leave();
    }
  }
}

/** What is attempted at a store, and the row of the catalogue that its failure becomes. */
interface AttemptedCall {
  readonly entry: CatalogEntry;
  readonly call: TryLockCall | UnlockCall;
  readonly failed: FailureRow;
}

function resolveTryLock(stores: StoreCatalog, request: TryLockRequest) {
  // daprd looks at the expiry even before it looks whether there is any store.
  if (request.expiryInSeconds <= 0) throw lockErrors.expiryNotPositive(request.storeName);
  return resolve(stores, request, lockErrors.tryLockFailed);
}

function resolveUnlock(stores: StoreCatalog, request: UnlockRequest) {
  return resolve(stores, request, lockErrors.unlockFailed);
}

type FailureRow = (reason: string, cause: unknown) => LockError;

/** Checks a request in daprd's order and finds the store and the key that it names. */
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
 * Tries for a lock on behalf of a caller who may leave meanwhile: a lock that nobody is there to
 * hear of would be held until its expiry.
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
 * Undoes a lock that was granted where its caller leaves before the answer has reached the socket: that
 * may be a cancel that was read in the same turn as the store's reply.
 */
function withdrawIfUnheard(signal: CancelSignal, store: LockStore, call: TryLockCall): void {
  const withdraw = () => {
    // The store says in the log what it could not withdraw before it was closed.
    store.withdraw(call).catch(() => undefined);
  };
  if (signal.aborted) withdraw();
  else signal.addEventListener('abort', withdraw);
}

/** A call under way, which is what those who are told of it get: at its end with how it ended. */
class ObservedLockCall implements LockCallReport {
  readonly operation: LockCallSubject['operation'];
  readonly storeName: string;
  readonly isKnownStore: boolean;
  readonly resourceId: string;
  readonly lockOwner: string;
  outcome: LockOutcome = 'unknown';
  durationMs = 0;
  error: LockError | undefined;
  readonly #observers: readonly LockObserver[];
  readonly #startedAt = performance.now();

  constructor(observers: readonly LockObserver[], subject: LockCallSubject) {
    this.operation = subject.operation;
    this.storeName = subject.storeName;
    this.isKnownStore = subject.isKnownStore;
    this.resourceId = subject.resourceId;
    this.lockOwner = subject.lockOwner;
    this.#observers = observers;
    for (const observer of observers) observer.started?.(this);
  }

  /** Reports how it ended. */
  ended(outcome: LockOutcome, error?: LockError): void {
    this.outcome = outcome;
    this.error = error;
    this.durationMs = performance.now() - this.#startedAt;
    for (const observer of this.#observers) observer.ended(this);
  }

  /** Reports a failure, and gives it back. */
  failed(error: unknown): unknown {
    if (error instanceof LockError) {
      this.ended(toFailedOutcome(error), error);
    }
    return error;
  }
}

function toFailedOutcome({ errorCode, cause }: LockError): LockOutcome {
  if (errorCode === 'ERR_LOCK_OVERLOADED') return 'overloaded';
  return isOutcomeUnknown(cause) ? 'unknown' : 'error';
}

/** A store's own verdict; of a defect nobody knows what it has left behind. */
function isOutcomeUnknown(cause: unknown): boolean {
  if (cause === undefined || cause instanceof LockKeyError) return false;
  return !(cause instanceof StoreError) || cause.outcome === 'unknown';
}
