import type { Cancellation, CancelSignal } from '../../base/cancellation';
import type { Timed } from '../../base/deadline-queue';
import type { CallPolicy } from '../call-policy';
import type { HoldOutcome, LockObserver } from '../lock-observer';
import type { LockStore, StoreError } from '../lock-store';
import type { HoldSink } from '../native-lock-service';
import type { Grant, LeaseAbility } from '../store-abilities';

/**
 * The lock and the client of a hold. Its creator should be a class or write all of it in one literal:
 * V8 gives each object that is made by spreading others a shape of its own, which is larger than it.
 */
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
  /** When the call arrived, on the monotonic clock. */
  readonly arrivedAtMs: number;
  /** Aborts when the client ends the call or is given up; see SilentCallerError. */
  readonly signal: CancelSignal;
  readonly sink: HoldSink;
  readonly observers: readonly LockObserver[];
  /**
   * The call of the client is over, which is before the lock is released. Called once.
   *
   * @param error if the sidecar stops
   */
  over(outcome: HoldOutcome, error: HoldStoppedError | undefined): void;
}

/**
 * - `held`: the lease is renewed in time
 * - `at-risk`: the last renewal failed; the lease still lasts
 * - `parting`: renewals have stopped; the lease still lasts
 * - `releasing`: the call is over, and the grant is being released
 * - `ended`: nothing is left to do
 */
export type HoldState = 'held' | 'at-risk' | 'parting' | 'releasing' | 'ended';

/** The hold was ended because the sidecar stops. Its lease is left to expire. */
export class HoldStoppedError extends Error {
  override readonly name = 'HoldStoppedError';
}

/**
 * A lock that is held for a client. Only {@link HoldRoom} changes it. It is a plain object, because
 * there may be ten thousand.
 */
export class Hold implements Timed {
  dueAtMs = 0;
  place = -1;
  state: HoldState = 'held';
  /** The end of the lease. All times of a hold are on the lease clock. */
  endMs: number;
  /** The latest time until which the store keeps the lock if nobody releases it. */
  mayLastUntilMs = 0;
  renewAtMs = Infinity;
  /** The renewal or release in progress. `callLimitMs` is its time limit. */
  call: Cancellation | undefined;
  callLimitMs = Infinity;
  /** The failure of the latest renewal. Undefined if it was answered. */
  failure: StoreError | undefined;
  /** True if a renewal that did not move `endMs` may have extended the lease in the store. */
  mayOutlast = false;
  readonly subject: HoldSubject;
  readonly fencingToken: number;
  readonly beganAtMs: number;
  readonly onAbort: () => void;

  constructor(
    subject: HoldSubject,
    grant: Grant,
    options: { readonly beganAtMs: number; readonly onAbort: (hold: Hold) => void },
  ) {
    this.subject = subject;
    this.fencingToken = grant.fencingToken;
    this.endMs = grant.validUntilMs;
    this.beganAtMs = options.beganAtMs;
    const { onAbort } = options;
    this.onAbort = () => {
      onAbort(this);
    };
  }

  /** True while the client relies on the lock. */
  get isLive(): boolean {
    return this.state === 'held' || this.state === 'at-risk' || this.state === 'parting';
  }

  /** The time of the next scheduled step. */
  get nextMs(): number {
    if (this.state === 'releasing') return Math.min(this.renewAtMs, this.mayLastUntilMs);
    const callMs = this.call === undefined ? this.renewAtMs : this.callLimitMs;
    return Math.min(this.endMs, callMs);
  }
}
