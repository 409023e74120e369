import type { Cancellation, CancelSignal } from '../../base/cancellation';
import type { Timed } from '../../base/deadline-queue';
import type { CallPolicy } from '../call-policy';
import type { HoldOutcome } from '../lock-observer';
import type { LockStore, StoreError } from '../lock-store';
import type { HoldSink } from '../native-lock-service';
import type { Grant, LeaseAbility } from '../store-abilities';

/** Who holds what, and who is told of it. */
export interface HoldSubject {
  readonly storeName: string;
  readonly resourceId: string;
  readonly store: LockStore;
  readonly leases: LeaseAbility;
  readonly policy: CallPolicy;
  /** The whole key, prefix included. */
  readonly key: string;
  readonly owner: string;
  readonly ttlMs: number;
  /** When the call arrived, on the clock of leases. */
  readonly arrivedAtMs: number;
  /** Aborts when the client ends the call, or is given up: see SilentCallerError. */
  readonly signal: CancelSignal;
  readonly sink: HoldSink;
}

/**
 * - `held`: the lease lasts, and is renewed in time
 * - `at-risk`: the last renewal failed; the lease still lasts
 * - `parting`: nothing is renewed any more; the lease still lasts
 * - `releasing`: the call is over, and the grant is being released
 * - `ended`: nothing is to be done any more
 */
export type HoldState = 'held' | 'at-risk' | 'parting' | 'releasing' | 'ended';

/** A hold that was ended as the sidecar stops, its lease left to run out. */
export class HoldStoppedError extends Error {
  override readonly name = 'HoldStoppedError';
}

/** A lock that is held for a client. Only {@link HoldRoom} changes it; a plain object, as there are ten thousand. */
export class Hold implements Timed {
  dueAtMs = 0;
  place = -1;
  state: HoldState = 'held';
  /** The end of the lease; all moments are on the clock of leases. */
  endMs: number;
  /** The store keeps the lock until then at the latest, if nobody releases it. */
  mayLastUntilMs = 0;
  renewAtMs = Infinity;
  /** The renewal or the release that is under way, and when it has taken too long. */
  call: Cancellation | undefined;
  callLimitMs = Infinity;
  /** What the latest renewal failed with; undefined where it was answered. */
  failure: StoreError | undefined;
  readonly subject: HoldSubject;
  readonly fencingToken: number;
  readonly beganAtMs: number;
  /** Ends the call of the client. */
  readonly settle: (how: HoldOutcome | HoldStoppedError) => void;
  readonly onAbort: () => void;

  constructor(
    subject: HoldSubject,
    grant: Grant,
    options: Pick<Hold, 'beganAtMs' | 'settle'> & { readonly onAbort: (hold: Hold) => void },
  ) {
    this.subject = subject;
    this.fencingToken = grant.fencingToken;
    this.endMs = grant.validUntilMs;
    this.beganAtMs = options.beganAtMs;
    this.settle = options.settle;
    this.onAbort = () => {
      options.onAbort(this);
    };
  }

  /** True while the client counts on the lock. */
  get isLive(): boolean {
    return this.state === 'held' || this.state === 'at-risk' || this.state === 'parting';
  }

  /** When something is next due of itself. */
  get nextMs(): number {
    if (this.state === 'releasing') return Math.min(this.renewAtMs, this.mayLastUntilMs);
    const callMs = this.call === undefined ? this.renewAtMs : this.callLimitMs;
    return Math.min(this.endMs, callMs);
  }
}
