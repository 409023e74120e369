import { StoreError } from '../../lock/lock-store';
import { isForbidden, isUnknownCommand } from './redis-errors';

/**
 * What a call comes to, but where this Redis or its user does not have a command that the ability needs: then it
 * rejects with kind `unsupported`.
 */
export function toSupported<T>(call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    if (!(error instanceof StoreError) || error.outcome === 'unknown') throw error;
    const { message, cause } = error;
    if (!isForbidden(cause) && !isUnknownCommand(cause)) throw error;
    throw new StoreError(message, { kind: 'unsupported', outcome: 'not-applied', cause: error });
  });
}

/** What a call fails with that can't be kept from taking effect late: nothing was sent. */
export function withoutTime(): StoreError {
  const message = 'the Redis user may not run TIME, which this call needs';
  return new StoreError(message, { kind: 'unsupported', outcome: 'not-applied' });
}
