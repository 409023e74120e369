import type { Clock } from '../base/clock';
import type { Logger } from '../base/logger';
import { Trouble, type TroubleReport } from '../base/trouble';
import type { LockCallReport } from '../lock/lock-observer';
import { StoreError } from '../lock/lock-store';

/** A failure of a lock call that an operator should know of. */
interface Failure {
  /** Whose failure it is: a store's, or that of the whole sidecar, which has no name. */
  readonly store: string;
  /** From a closed list: the outcome, the kind of store error, and the store's own reason. */
  readonly kind: string;
  /** What fails. */
  readonly subject: string;
  /** Why, in words that name neither a resource nor an owner. */
  readonly reason: string;
  readonly isPartial?: boolean;
}

/** The store name under which the failures of the whole sidecar are kept. */
const SIDECAR = '';

/**
 * Tells of lock calls that fail, by store and kind, in few lines: see {@link Trouble}. What a client got
 * wrong is no failure of a store's. Memory is bounded by the number of stores and of kinds.
 */
export class CallFailures {
  readonly #loggerOf: (store: string) => Logger;
  readonly #clock: Clock;
  readonly #troubles = new Map<string, Map<string, Trouble>>();

  /** @param loggerOf the log of a store, where its secrets are hidden: what it meets may quote them */
  constructor(loggerOf: (store: string) => Logger, clock: Clock) {
    this.#loggerOf = loggerOf;
    this.#clock = clock;
  }

  /** Takes note of a call that has ended. */
  note(report: LockCallReport): void {
    if (report.error === undefined) this.#succeeded(report);
    else {
      const failure = toFailure(report);
      if (failure !== undefined) this.#troubleOf(failure).failed(failure.reason, report.operation);
    }
  }

  #succeeded({ storeName, operation }: LockCallReport): void {
    if (this.#troubles.size === 0) return;
    for (const store of [storeName, SIDECAR]) {
      for (const trouble of this.#troubles.get(store)?.values() ?? []) trouble.succeeded(operation);
    }
  }

  #troubleOf(failure: Failure): Trouble {
    const { store, kind } = failure;
    const ofStore = this.#troubles.get(store) ?? new Map<string, Trouble>();
    this.#troubles.set(store, ofStore);
    const known = ofStore.get(kind);
    if (known !== undefined) return known;
    const trouble = this.#createTrouble(failure);
    ofStore.set(kind, trouble);
    return trouble;
  }

  #createTrouble({ store, kind, subject, isPartial = false }: Failure): Trouble {
    const fields = store === SIDECAR ? { kind } : { kind, store };
    return new Trouble({
      clock: this.#clock,
      isPartial,
      onFailing: ({ reason, failures }, isFirst) => {
        const more = isFirst ? '' : `; ${failures} more since the last message`;
        this.#loggerOf(store).warn(`${subject}: ${reason}${more}`, { ...fields, calls: failures });
      },
      onOver: (report) => {
        this.#loggerOf(store).info(toEnd(subject, report), { ...fields, calls: report.failures });
      },
      onIdle: () => {
        this.#forget(store, kind);
      },
    });
  }

  #forget(store: string, kind: string): void {
    const ofStore = this.#troubles.get(store);
    ofStore?.delete(kind);
    if (ofStore?.size === 0) this.#troubles.delete(store);
  }
}

function toEnd(subject: string, { reason, failures, lastedMs }: TroubleReport): string {
  const seconds = (lastedMs / 1000).toFixed(1);
  const calls = failures === 1 ? '1 call' : `${failures} calls`;
  return `${subject}: ended after ${seconds} s, ${calls} failed (${reason})`;
}

/** Undefined for what a client got wrong, and for a defect, which has a line of its own. */
function toFailure(report: LockCallReport): Failure | undefined {
  const { error, outcome, storeName, isKnownStore } = report;
  if (error === undefined) return undefined;
  const { errorCode, message, cause } = error;
  if (errorCode === 'ERR_LOCK_OVERLOADED') {
    const subject = 'Overloaded, lock calls are refused (--max-concurrent-lock-calls)';
    return { store: SIDECAR, kind: outcome, subject, reason: message, isPartial: true };
  }
  if (errorCode === 'ERR_LOCK_STORE_NOT_CONFIGURED') {
    return { store: SIDECAR, kind: 'not_configured', subject: 'Lock calls fail', reason: message };
  }
  if (!isKnownStore || !(cause instanceof StoreError)) return undefined;
  const subject = `Lock calls to ${storeName} ${outcome === 'unknown' ? 'have an unknown outcome' : 'fail'}`;
  const kind = [outcome, cause.kind, ...(cause.reason === undefined ? [] : [cause.reason])];
  return { store: storeName, kind: kind.join(', '), subject, reason: toReason(report, cause) };
}

/** Servers may name the key that they refuse, and its end is the resource: shown at debug only. */
function toReason({ resourceId }: LockCallReport, { message, reason, kind }: StoreError): string {
  if (message.includes(`||${resourceId}`)) return reason ?? kind;
  // The end of one lock says nothing about many calls.
  return message.replace(/: a lock may exist until .*$/, '');
}
