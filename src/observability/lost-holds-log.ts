import type { Clock } from '../base/clock';
import type { Logger } from '../base/logger';
import { Trouble } from '../base/trouble';
import type { HoldReport, LockObserver, RenewalOutcome } from '../lock/lock-observer';
import type { LostReason } from '../lock/native-lock-service';

const WORDS = {
  EXPIRED: 'the lease ended',
  TAKEN_OVER: 'another has the lock',
  STORE_UNREACHABLE: 'the lease ended while the store could not be reached',
} as const satisfies Record<LostReason, string>;

const NOT_RENEWED = {
  failed: 'the store did not renew it',
  withheld: 'its client does not read, or does not answer',
} as const satisfies Partial<Record<RenewalOutcome, string>>;

/**
 * Logs events that an operator must look into, at warning: each lock that was released by force,
 * locks that are held and not renewed, and locks that were lost while they were held. It writes few
 * lines even if thousands are lost with their store. Resources and owners are logged at debug.
 *
 * @param logOf the log of a store, which hides its secrets
 */
export function createLostHoldsLog(
  logOf: (store: string) => Logger,
  clock: Clock,
): Pick<LockObserver, 'holdEnded' | 'renewalEnded' | 'forceReleased'> {
  const troubles = new Map<string, Trouble>();
  const note = (store: string, cause: Cause): void => {
    const name = `${cause.what} ${cause.label} ${store}`;
    const known = troubles.get(name);
    const trouble =
      known ?? createTrouble(logOf(store), { store, cause, clock }, () => troubles.delete(name));
    troubles.set(name, trouble);
    trouble.failed(cause.words);
    // It is over at once, so there is no end to report.
    trouble.succeeded();
  };
  return {
    holdEnded: (report) => {
      const { storeName, lostBy } = report;
      if (lostBy === undefined) return;
      note(storeName, { what: 'was lost', label: lostBy, words: WORDS[lostBy] });
      logDetails(logOf(storeName), report, lostBy);
    },
    renewalEnded: (store, outcome) => {
      if (outcome !== 'failed' && outcome !== 'withheld') return;
      note(store, { what: 'is not renewed', label: outcome, words: NOT_RENEWED[outcome] });
    },
    forceReleased: ({ storeName: store, fencingToken, reason, resourceId: resource }) => {
      const fields = { store, fencingToken, reason };
      logOf(store).warn('A lock was released by force', fields);
      logOf(store).debug('lock released by force', { ...fields, resource });
    },
  };
}

/** The trouble of a held lock, and its cause. */
interface Cause {
  readonly what: 'was lost' | 'is not renewed';
  readonly label: LostReason | RenewalOutcome;
  readonly words: string;
}

function createTrouble(
  logger: Logger,
  { store, cause, clock }: { store: string; cause: Cause; clock: Clock },
  onIdle: () => void,
): Trouble {
  return new Trouble({
    clock,
    isPartial: true,
    onIdle,
    onFailing: ({ reason: words, failures }, isFirst) => {
      const more = isFirst ? '' : `; ${failures} more since the last message`;
      const fields = { store, reason: cause.label, holds: failures };
      logger.warn(`A held lock of ${store} ${cause.what}: ${words}${more}`, fields);
    },
  });
}

function logDetails(logger: Logger, report: HoldReport, reason: LostReason): void {
  if (!logger.isDebug) return;
  const { storeName: store, resourceId: resource, lockOwner: owner, fencingToken } = report;
  logger.debug('lost lock', { store, reason, resource, owner, fencingToken });
}
