import type { Clock } from '../base/clock';
import type { Logger } from '../base/logger';
import { Trouble } from '../base/trouble';
import type { HoldReport, LockObserver } from '../lock/lock-observer';
import type { LostReason } from '../lock/native-lock-service';

const WORDS = {
  EXPIRED: 'the lease ended',
  TAKEN_OVER: 'another has the lock',
  STORE_UNREACHABLE: 'the lease ended while the store could not be reached',
} as const satisfies Record<LostReason, string>;

/**
 * Logs events that an operator must look into, at warning: each lock that was released by force,
 * and locks that were lost while they were held, in few lines even if thousands are lost with their
 * store. Resources and owners are logged at debug.
 *
 * @param logOf the log of a store, which hides its secrets
 */
export function createLostHoldsLog(
  logOf: (store: string) => Logger,
  clock: Clock,
): Pick<LockObserver, 'holdEnded' | 'forceReleased'> {
  const losses = new Map<string, Trouble>();
  const lossesOf = (store: string, reason: LostReason): Trouble => {
    const name = `${reason} ${store}`;
    const known = losses.get(name);
    if (known !== undefined) return known;
    const made = createLosses(logOf(store), { store, reason, clock }, () => losses.delete(name));
    losses.set(name, made);
    return made;
  };
  return {
    holdEnded: (report) => {
      const { storeName, lostBy } = report;
      if (lostBy === undefined) return;
      const trouble = lossesOf(storeName, lostBy);
      trouble.failed(WORDS[lostBy]);
      // A loss is over at once, so there is no end to report.
      trouble.succeeded();
      logDetails(logOf(storeName), report, lostBy);
    },
    forceReleased: ({ storeName: store, fencingToken, reason, resourceId: resource }) => {
      const fields = { store, fencingToken, reason };
      logOf(store).warn('A lock was released by force', fields);
      logOf(store).debug('lock released by force', { ...fields, resource });
    },
  };
}

function createLosses(
  logger: Logger,
  { store, reason, clock }: { store: string; reason: LostReason; clock: Clock },
  onIdle: () => void,
): Trouble {
  return new Trouble({
    clock,
    isPartial: true,
    onIdle,
    onFailing: ({ reason: words, failures }, isFirst) => {
      const more = isFirst ? '' : `; ${failures} more since the last message`;
      const fields = { store, reason, holds: failures };
      logger.warn(`A held lock of ${store} was lost: ${words}${more}`, fields);
    },
  });
}

function logDetails(logger: Logger, report: HoldReport, reason: LostReason): void {
  if (!logger.isDebug) return;
  const { storeName: store, resourceId: resource, lockOwner: owner, fencingToken } = report;
  logger.debug('lost lock', { store, reason, resource, owner, fencingToken });
}
