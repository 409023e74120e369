import type { Clock } from '../base/clock';
import type { Logger } from '../base/logger';
import { Trouble, type TroubleReport } from '../base/trouble';
import type { LockCallReport } from '../lock/lock-observer';
import { StoreError } from '../lock/lock-store';

/** A failed lock call that an operator should know about. */
interface Failure {
  /** The store that failed. Empty for the whole sidecar. */
  readonly store: string;
  /**
   * The kind of failure, from fixed words: the outcome, the kind of store error, and the store's
   * reason.
   */
  readonly kind: string;
  /** The subject of the log line. */
  readonly subject: string;
  /** The reason, without resources or owners. */
  readonly reason: string;
  readonly isPartial?: boolean;
}

/** The store name for failures of the whole sidecar. */
const SIDECAR = '';

/**
 * Logs failed lock calls by store and kind, in few lines (see {@link Trouble}). Invalid requests of
 * clients are not logged. Memory is bounded by the number of stores and kinds.
 */
export class CallFailures {
  readonly #loggerOf: (store: string) => Logger;
  readonly #clock: Clock;
  readonly #troubles = new Map<string, Map<string, Trouble>>();

  /**
   * @param loggerOf the log of a store, which hides its secrets, because the store's errors may
   *   quote them
   */
  constructor(loggerOf: (store: string) => Logger, clock: Clock) {
    this.#loggerOf = loggerOf;
    this.#clock = clock;
  }

  /** Notes a finished call. */
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

/** The refused calls, and the flag that limits them. */
const OVERLOADED = {
  calls: 'Overloaded, lock calls are refused (--max-concurrent-lock-calls)',
  waits: 'Overloaded, calls that would wait for a lock are refused (--max-lock-waits)',
  holds: 'Overloaded, calls that would hold a lock are refused (--max-lock-holds)',
} as const;

/** Undefined for invalid requests, and for bugs, which are logged separately. */
function toFailure(report: LockCallReport): Failure | undefined {
  const { error, outcome, storeName, isKnownStore } = report;
  if (error === undefined) return undefined;
  const { errorCode, message, cause, excess = 'calls' } = error;
  if (errorCode === 'ERR_LOCK_OVERLOADED') {
    const subject = OVERLOADED[excess];
    return { store: SIDECAR, kind: subject, subject, reason: message, isPartial: true };
  }
  if (errorCode === 'ERR_LOCK_STORE_NOT_CONFIGURED') {
    return { store: SIDECAR, kind: 'not_configured', subject: 'Lock calls fail', reason: message };
  }
  if (!isKnownStore || !(cause instanceof StoreError)) return undefined;
  const subject = `Lock calls to ${storeName} ${outcome === 'unknown' ? 'have an unknown outcome' : 'fail'}`;
  const kind = [outcome, cause.kind, ...(cause.reason === undefined ? [] : [cause.reason])];
  return { store: storeName, kind: kind.join(', '), subject, reason: toReason(report, cause) };
}

/**
 * The reason of a failure. A server may quote the key, which ends in the resource. Resources are
 * shown only at level debug.
 */
function toReason({ resourceId }: LockCallReport, { message, reason, kind }: StoreError): string {
  if (message.includes(`||${resourceId}`)) return reason ?? kind;
  // The line is about many calls, so the expiry of one lock does not belong there.
  return message.replace(/: a lock may exist until .*$/, '');
}
