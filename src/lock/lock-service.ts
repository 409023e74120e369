import { createAttempt } from './attempt';
import { LockError, lockErrors } from './lock-errors';
import { LockKeyError, toLockKey } from './lock-key';
import type { LockCallReport, LockObserver, LockOutcome } from './lock-observer';
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
  /** Tries once for a lock. The signal ends when the caller has gone or its deadline has passed. */
  tryLock(request: TryLockRequest, signal: AbortSignal): Promise<{ readonly success: boolean }>;
  /** Releases a lock, with the signal of {@link LockService.tryLock}. */
  unlock(request: UnlockRequest, signal: AbortSignal): Promise<{ readonly status: UnlockStatus }>;
}

const UNLOCK_STATUS: Readonly<Record<UnlockOutcome, UnlockStatus>> = {
  unlocked: 0,
  'not-found': 1,
  'held-by-other': 2,
};

/** Shown for an exception that is no {@link StoreError}: a defect, whose text is for the log. */
const UNEXPECTED = 'internal error, the outcome is unknown';

/** Makes the {@link LockService} over a catalogue of stores. */
export function createLockService(options: {
  readonly stores: StoreCatalog;
  readonly observe: LockObserver;
}): LockService {
  const { stores, observe } = options;

  return {
    async tryLock(request, signal) {
      const acquired = await observed(observe, subjectOf('tryLock', request), async () => {
        const { store, key } = resolveTryLock(stores, request);
        const call = {
          key,
          owner: request.lockOwner,
          ttlMs: request.expiryInSeconds * 1000,
          attempt: createAttempt(),
        };
        const result = await attempted({ store, call, failed: lockErrors.tryLockFailed }, () =>
          tryLockFor(signal, store, call),
        );
        return result.acquired ? 'acquired' : 'refused';
      });
      return { success: acquired === 'acquired' };
    },

    async unlock(request, signal) {
      const outcome = await observed(observe, subjectOf('unlock', request), async () => {
        const { store, key } = resolveUnlock(stores, request);
        const call = { key, owner: request.lockOwner, attempt: createAttempt() };
        return attempted({ store, call, failed: lockErrors.unlockFailed }, () =>
          store.unlock(call, signal),
        );
      });
      return { status: UNLOCK_STATUS[outcome] };
    },
  };
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
  return { store: entry.store, key: keyOf(entry, resourceId, failed) };
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
 * hear of would be held until its expiry. From here to the socket nothing waits for I/O, so that
 * a caller who is still there now is handed the answer.
 */
async function tryLockFor(signal: AbortSignal, store: LockStore, call: TryLockCall) {
  const result = await store.tryLock(call, signal);
  if (!result.acquired || !signal.aborted) return result;
  throw new StoreError('the caller has gone', { kind: 'deadline', outcome: 'unknown' });
}

/** What is attempted at a store, and the row of the catalogue that its failure becomes. */
interface AttemptedCall {
  readonly store: LockStore;
  readonly call: TryLockCall | UnlockCall;
  readonly failed: FailureRow;
}

/**
 * The border between a store's failures and the error catalogue. The attempt of a call that ends
 * here for good, and may have taken effect or may yet, is withdrawn. The caller does not wait for
 * that: it is told at once that the outcome is unknown.
 */
async function attempted<T>(
  { store, call, failed }: AttemptedCall,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const nothingToUndo = error instanceof StoreError && error.outcome === 'not-applied';
    // The store says in the log what it could not withdraw before it was closed.
    if (!nothingToUndo) store.withdraw(call).catch(() => undefined);
    throw failed(error instanceof StoreError ? error.message : UNEXPECTED, error);
  }
}

type CallSubject = Omit<LockCallReport, 'outcome' | 'error'>;

/** Runs a call and reports how it ended, whichever way it ends. */
async function observed<T extends LockOutcome>(
  observe: LockObserver,
  subject: CallSubject,
  call: () => Promise<T>,
): Promise<T> {
  try {
    const outcome = await call();
    observe({ ...subject, outcome });
    return outcome;
  } catch (error) {
    if (error instanceof LockError) observe({ ...subject, outcome: 'error', error });
    throw error;
  }
}

function subjectOf(operation: CallSubject['operation'], request: UnlockRequest): CallSubject {
  const { storeName, resourceId, lockOwner } = request;
  return { operation, storeName, resourceId, lockOwner };
}
