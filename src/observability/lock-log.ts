import { toErrorTrace } from '../lock/error-message';
import type { LockObserver } from '../lock/lock-observer';
import { LockKeyError } from '../lock/lock-key';
import { StoreError } from '../lock/lock-store';
import type { Logger } from '../lock/logger';

/** How long nothing more is said of calls that are refused for overload, in milliseconds. */
const OVERLOAD_QUIET_MS = 10_000;

/**
 * Logs how lock calls ended: every call at debug, the only level at which owners and resources
 * may appear; a failure that no store announced, which is a defect, at error; overload at warning, once in
 * {@link OVERLOAD_QUIET_MS}.
 */
export function createLockLog(logger: Logger): LockObserver {
  let quietUntilMs = 0;
  const ended: LockObserver['ended'] = (report) => {
    if (report.error === undefined && !logger.isDebug) return;
    const { operation, storeName, resourceId, lockOwner, outcome, error } = report;
    const fields = { store: storeName, resource: resourceId, owner: lockOwner, outcome };
    if (error === undefined) {
      logger.debug(operation, fields);
      return;
    }
    logger.debug(`api error: ${error.message}`, { ...fields, operation, ...causeOf(error) });
    if (outcome === 'overloaded' && performance.now() >= quietUntilMs) {
      quietUntilMs = performance.now() + OVERLOAD_QUIET_MS;
      logger.warn(`Overloaded, lock calls are refused: ${error.message}`);
    }
    if (isDefect(error.cause)) {
      logger.error(`${operation} failed unexpectedly: ${toErrorTrace(error.cause)}`, {
        store: storeName,
      });
    }
  };
  return { ended };
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
