import { StoreError } from '../../lock/lock-store';
import { isForbidden, isUnknownCommand } from './redis-errors';

/**
 * Returns the result of a call. Converts a failure to kind `unsupported` if this Redis lacks a
 * command that the ability needs, or its user may not run it.
 */
export function toSupported<T>(call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    if (!(error instanceof StoreError) || error.outcome === 'unknown') throw error;
    const { message, cause } = error;
    if (!isForbidden(cause) && !isUnknownCommand(cause)) throw error;
    throw new StoreError(message, { kind: 'unsupported', outcome: 'not-applied', cause: error });
  });
}

/**
 * The error of a send that needs the server's time, because it must not take effect late. This send
 * was not written; earlier ones of its call are looked at where the call ends (see Attempts).
 */
export function withoutTime(): StoreError {
  const message = 'the Redis user may not run TIME, which this call needs';
  return new StoreError(message, { kind: 'unsupported', outcome: 'not-applied' });
}
