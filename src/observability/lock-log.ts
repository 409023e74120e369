import { type Clock, processClock } from '../base/clock';
import { toErrorTrace } from '../base/error-message';
import type { Logger } from '../base/logger';
import { LockKeyError } from '../lock/lock-key';
import type { LockObserver } from '../lock/lock-observer';
import { StoreError } from '../lock/lock-store';
import { CallFailures } from './call-failures';
import { createLostHoldsLog } from './lost-holds-log';

/** The options of a {@link createLockLog}. */
export interface LockLogOptions {
  readonly clock?: Clock;
  /** The log of a store, which hides its secrets. Undefined for a name that no store has. */
  readonly loggerOf?: (store: string) => Logger | undefined;
}

/**
 * Logs finished lock calls. Every call is logged at debug, the only level at which owners and
 * resources may appear. An unexpected failure, which is a bug, is logged at error. Other failures
 * and overload are logged at warning, in few lines. So are locks that were lost or released by force.
 */
export function createLockLog(logger: Logger, options: LockLogOptions = {}): LockObserver {
  const { clock = processClock, loggerOf = () => undefined } = options;
  const logOf = (store: string): Logger => loggerOf(store) ?? logger;
  const failures = new CallFailures(logOf, clock);
  const ended: LockObserver['ended'] = (report) => {
    failures.note(report);
    if (report.error === undefined && !logger.isDebug) return;
    const { operation, storeName, resourceId, lockOwner, outcome, error } = report;
    const fields = { store: storeName, resource: resourceId, owner: lockOwner, outcome };
    if (error === undefined) {
      logger.debug(operation, fields);
      return;
    }
    logOf(storeName).debug(`api error: ${error.message}`, {
      ...fields,
      operation,
      ...causeOf(error),
    });
    if (isDefect(error.cause)) {
      logOf(storeName).error(`${operation} failed unexpectedly: ${toErrorTrace(error.cause)}`, {
        store: storeName,
      });
    }
  };
  return { ended, ...createLostHoldsLog(logOf, clock) };
}

function isDefect(cause: unknown): boolean {
  return cause !== undefined && !(cause instanceof StoreError) && !(cause instanceof LockKeyError);
}

function causeOf(error: Error): { readonly cause?: string } {
  if (!(error.cause instanceof StoreError)) return {};
  const { kind, outcome, cause } = error.cause;
  const origin = cause instanceof Error ? `: ${cause.message}` : '';
  return { cause: `${kind}, ${outcome}${origin}` };
}
