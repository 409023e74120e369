import { LockError, lockErrors } from '../lock-errors';
import { StoreError } from '../lock-store';
import { PageTokenError } from '../store-abilities';

/**
 * The message for an exception that is not a {@link StoreError}. Such an exception is a bug, and
 * its text is only logged.
 */
const UNEXPECTED = 'internal error, the outcome is unknown';

/**
 * Converts a store's failure to the error catalogue.
 *
 * @param task the task in the text `failed to TASK`
 */
export function toLockError(error: unknown, storeName: string, task: string): LockError {
  if (error instanceof LockError) return error;
  if (error instanceof PageTokenError) {
    return lockErrors.valueNotAllowed(storeName, `pageToken is invalid: ${error.message}`);
  }
  if (!(error instanceof StoreError)) return lockErrors.outcomeUnknown(task, UNEXPECTED, error);
  const { kind, outcome, message } = error;
  // First, because all other errors say that nothing was done: an earlier send may stand behind any of them.
  if (outcome === 'unknown') return lockErrors.outcomeUnknown(task, message, error);
  if (kind === 'unsupported') return lockErrors.unsupported(storeName, message);
  const saysNo = kind === 'rejected' || kind === 'protocol';
  return (saysNo ? lockErrors.storeFailed : lockErrors.storeUnavailable)(task, message, error);
}
