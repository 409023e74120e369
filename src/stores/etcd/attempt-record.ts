import type { Attempt } from '../../lock/attempt';
import type { EtcdLease } from './etcd-leases';

/** A release that was sent and not answered: it may have taken effect, or may still do so. */
export interface OpenRelease {
  readonly createRevision: string;
  readonly lease: string;
  /** False if etcd had no space for a trace. */
  readonly hasTrace: boolean;
}

/**
 * A sidecar's memory of an attempt, so that its sends and its withdrawal know of each other.
 * A send consists of several calls, and an earlier send may still be under way when a later one
 * begins.
 */
export class AttemptRecord {
  /** The leases under which the attempt may have taken the lock. */
  readonly leases = new Map<string, EtcdLease>();
  /** Releases without an answer. */
  readonly openReleases = new Set<OpenRelease>();
  /** The ticket of a waiting attempt, from the moment it may have been sent. */
  ticket: Buffer | undefined;
  /** The sessions under which the ticket was put without an answer. */
  readonly openTickets = new Set<string>();
  /** True once etcd has confirmed the release. */
  isReleased = false;
  #sends = 0;
  #isWithdrawn = false;

  /** Begins a send. The returned function says whether it may still change anything. */
  begin(): () => boolean {
    this.#sends += 1;
    const number = this.#sends;
    return () => !this.#isWithdrawn && number === this.#sends;
  }

  /** From now on, no send of the attempt changes anything that it has not sent before. */
  withdraw(): void {
    this.#isWithdrawn = true;
  }

  /** True once the attempt was withdrawn. */
  get isWithdrawn(): boolean {
    return this.#isWithdrawn;
  }

  /** True if something was sent that may have taken effect. */
  get isOpen(): boolean {
    return this.leases.size > 0 || this.openReleases.size > 0 || this.ticket !== undefined;
  }
}

/** The records of attempts, for as long as these exist. */
export class AttemptRecords {
  readonly #records = new WeakMap<Attempt, AttemptRecord>();

  /** The record of an attempt. */
  of(attempt: Attempt): AttemptRecord {
    const known = this.#records.get(attempt);
    if (known !== undefined) return known;
    const record = new AttemptRecord();
    this.#records.set(attempt, record);
    return record;
  }
}
