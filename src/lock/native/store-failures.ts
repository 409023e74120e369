import { LockError, lockErrors } from '../lock-errors';
import { StoreError } from '../lock-store';
import { PageTokenError } from '../store-abilities';

/** Shown for an exception that is no {@link StoreError}: a defect, whose text is for the log. */
const UNEXPECTED = 'internal error, the outcome is unknown';

/**
 * The border between what a store fails with and the error catalogue.
 *
 * @param task what was to be done, as in `failed to TASK`
 */
export function toLockError(error: unknown, storeName: string, task: string): LockError {
  if (error instanceof LockError) return error;
  if (error instanceof PageTokenError) {
    return lockErrors.valueNotAllowed(storeName, `pageToken is not allowed: ${error.message}`);
  }
  if (!(error instanceof StoreError)) return lockErrors.outcomeUnknown(task, UNEXPECTED, error);
  const { kind, outcome, message } = error;
  if (kind === 'unsupported') return lockErrors.unsupported(storeName, message);
  if (outcome === 'unknown') return lockErrors.outcomeUnknown(task, message, error);
  const saysNo = kind === 'rejected' || kind === 'protocol';
  return (saysNo ? lockErrors.storeFailed : lockErrors.storeUnavailable)(task, message, error);
}
