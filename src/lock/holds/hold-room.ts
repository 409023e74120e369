import { DeadlineQueue } from '../../base/deadline-queue';
import { Admission } from '../admission';
import type { LeaseClock } from '../lease-clock';
import type { HoldOutcome, RenewalOutcome } from '../lock-observer';
import {
  type AtRiskReason,
  type HoldEvent,
  type LostReason,
  SidecarStoppingError,
  SilentCallerError,
} from '../native-lock-service';
import type { StoreError } from '../lock-store';
import type { StoreCatalog } from '../store-catalog';
import type { Grant } from '../store-abilities';
import { Hold, HoldStoppedError, type HoldSubject } from './hold';
import { isUnreachable, mayHaveExtended, release, renew, type RenewalEnd } from './hold-calls';
import { RELEASE_PAUSE_MS, toRenewalLimit, toRenewalPause, toRetryPause } from './renewal-plan';

/** Default limit of concurrent holds. */
export const DEFAULT_MAX_HOLDS = 10_000;

/** The dependencies and limits of holds. */
export interface HoldRoomOptions {
  readonly clock: LeaseClock;
  readonly stores: StoreCatalog;
  /** Default: {@link DEFAULT_MAX_HOLDS}. */
  readonly maxHolds?: number | undefined;
  /** Returns random numbers from 0 to 1. */
  readonly random?: () => number;
}

/**
 * Keeps locks while their clients' calls live. Each hold is a small state machine (see
 * `HoldState`). The local end of its lease is checked before any event is emitted. All holds share
 * one queue of deadlines and one timer. A client may leave while an event is written to it: after one,
 * a hold may be over.
 */
export class HoldRoom {
  readonly admission: Admission;
  readonly #clock: LeaseClock;
  readonly #stores: StoreCatalog;
  readonly #random: () => number;
  readonly #holds = new Set<Hold>();
  readonly #deadlines: DeadlineQueue<Hold>;
  /** One for all holds. */
  readonly #onAbort = (hold: Hold): void => {
    this.#clientEnded(hold);
  };

  constructor(options: HoldRoomOptions) {
    this.#clock = options.clock;
    this.#stores = options.stores;
    this.#random = options.random ?? Math.random;
    this.admission = new Admission(options.maxHolds ?? DEFAULT_MAX_HOLDS);
    this.#deadlines = new DeadlineQueue(options.clock, (hold) => {
      this.#due(hold);
    });
  }

  /**
   * Keeps a granted lock and emits its events. The subject is told when the client has ended its call,
   * or has been notified that the lock is lost, and when the sidecar stops.
   */
  keep(subject: HoldSubject, grant: Grant): void {
    const beganAtMs = this.#clock.now();
    this.#begin(new Hold(subject, grant, { beganAtMs, onAbort: this.#onAbort }));
  }

  /** Stops renewals at a removed store, and notifies the clients. */
  remove(storeName: string): void {
    for (const hold of [...this.#holds]) {
      if (hold.subject.storeName === storeName) this.#part(hold);
    }
  }

  /**
   * Ends all holds and tells each client how long its lease still lasts. Grants are not released.
   */
  stop(): void {
    for (const hold of [...this.#holds]) this.#stop(hold);
  }

  #begin(hold: Hold): void {
    const { subject } = hold;
    this.#holds.add(hold);
    this.#stores.enter(subject.store);
    const { storeName, resourceId, owner: lockOwner } = subject;
    for (const observer of subject.observers) {
      observer.holdBegan?.(storeName, { resourceId, lockOwner });
    }
    subject.signal.addEventListener('abort', hold.onAbort);
    hold.mayLastUntilMs = this.#clock.now() + subject.ttlMs;
    this.#emit(hold, (validMs) => ({
      type: 'held',
      lease: { lockOwner: subject.owner, fencingToken: hold.fencingToken, validMs },
    }));
    this.#planRenewal(hold);
    if (subject.signal.aborted) this.#clientEnded(hold);
  }

  /** Takes the step that is due. */
  #due(hold: Hold): void {
    const nowMs = this.#clock.now();
    if (hold.state === 'releasing') this.#releaseAgain(hold, nowMs);
    else if (nowMs >= hold.endMs) this.#ranOut(hold);
    else if (hold.call !== undefined) this.#cutCall(hold);
    else this.#renew(hold);
  }

  /** Aborts the call in progress. Its failure then schedules the next step. */
  #cutCall(hold: Hold): void {
    hold.callLimitMs = Infinity;
    hold.call?.abort();
    this.#schedule(hold);
  }

  #renew(hold: Hold): void {
    const leftMs = hold.endMs - this.#clock.now();
    if (!hold.subject.sink.isWritable) {
      this.#report(hold, 'withheld');
      hold.renewAtMs = this.#clock.now() + toRetryPause(leftMs);
      this.#schedule(hold);
      return;
    }
    hold.renewAtMs = Infinity;
    hold.callLimitMs = this.#clock.now() + toRenewalLimit(leftMs);
    void renew(hold, this.#clock).then((end) => {
      this.#renewed(hold, end);
    });
    this.#schedule(hold);
  }

  #renewed(hold: Hold, end: RenewalEnd): void {
    const nowMs = this.#clock.now();
    hold.mayLastUntilMs = Math.max(hold.mayLastUntilMs, nowMs + hold.subject.ttlMs);
    // A renewal that was aborted because the hold ended says nothing about the store.
    if (!hold.isLive) return;
    this.#report(hold, toRenewalOutcome(end));
    hold.mayOutlast ||= mayHaveExtended(end);
    if (nowMs >= hold.endMs) this.#ranOut(hold);
    else if (end.state === 'not_found') this.#gone(hold, 'EXPIRED');
    else if (end.state === 'held_by_other') this.#gone(hold, 'TAKEN_OVER');
    else if (hold.state === 'parting') this.#schedule(hold);
    else if (end.state === 'renewed') this.#prolong(hold, end.endMs);
    else this.#renewalFailed(hold, end.error);
  }

  #prolong(hold: Hold, endMs: number): void {
    hold.failure = undefined;
    hold.mayOutlast = false;
    hold.state = 'held';
    hold.endMs = Math.max(hold.endMs, endMs);
    this.#emit(hold, (validMs) => ({ type: 'renewed', validMs }));
    this.#planRenewal(hold);
  }

  #renewalFailed(hold: Hold, error: StoreError): void {
    hold.failure = error;
    const isFirst = hold.state === 'held';
    hold.state = 'at-risk';
    hold.renewAtMs = this.#clock.now() + toRetryPause(hold.endMs - this.#clock.now());
    this.#schedule(hold);
    if (isFirst) this.#emitAtRisk(hold, 'RENEWAL_FAILED');
  }

  #planRenewal(hold: Hold): void {
    if (!hold.isLive) return;
    const nowMs = this.#clock.now();
    hold.renewAtMs = nowMs + toRenewalPause(hold.endMs - nowMs, this.#random());
    this.#schedule(hold);
  }

  /** Stops renewing. Ignores a renewal in progress, so that the announced end is certain. */
  #part(hold: Hold): void {
    if (hold.state !== 'held' && hold.state !== 'at-risk') return;
    hold.state = 'parting';
    hold.renewAtMs = Infinity;
    hold.call?.abort();
    this.#emitAtRisk(hold, 'STORE_REMOVED');
    this.#schedule(hold);
  }

  #stop(hold: Hold): void {
    if (!hold.isLive) return;
    this.#emitAtRisk(hold, 'SIDECAR_STOPPING');
    this.#abandon(hold, new HoldStoppedError());
  }

  #ranOut(hold: Hold): void {
    const { call, failure, state } = hold;
    const isUnanswered = call !== undefined || (failure !== undefined && isUnreachable(failure));
    const mayStand = hold.mayOutlast || call !== undefined;
    this.#lose(hold, isUnanswered && state !== 'parting' ? 'STORE_UNREACHABLE' : 'EXPIRED');
    // A renewal whose answer was lost or late may have extended a lease that nobody uses any more.
    if (mayStand) this.#release(hold);
    else this.#end(hold);
  }

  /** The store no longer has the grant, so there is nothing to release. */
  #gone(hold: Hold, reason: LostReason): void {
    this.#lose(hold, reason);
    this.#end(hold);
  }

  #lose(hold: Hold, reason: LostReason): void {
    hold.state = 'ended';
    tell(hold, { type: 'lost', reason });
    this.#over(hold, { outcome: 'lost', lostBy: reason });
  }

  #clientEnded(hold: Hold): void {
    if (!hold.isLive) return;
    const { reason } = hold.subject.signal;
    if (reason instanceof SidecarStoppingError) this.#stop(hold);
    else if (reason instanceof SilentCallerError) this.#abandon(hold);
    else {
      this.#over(hold, { outcome: 'released' });
      this.#release(hold);
    }
  }

  /** Lets the lease expire, because its client may still rely on it. */
  #abandon(hold: Hold, error?: HoldStoppedError): void {
    if (!hold.isLive) return;
    this.#over(hold, { outcome: 'abandoned' }, error);
    this.#end(hold);
  }

  /** Ends the client's call. */
  #over(
    hold: Hold,
    how: { readonly outcome: HoldOutcome; readonly lostBy?: LostReason },
    error?: HoldStoppedError,
  ): void {
    const { subject, fencingToken, beganAtMs } = hold;
    const { storeName, resourceId, owner: lockOwner } = subject;
    hold.state = 'ended';
    subject.signal.removeEventListener('abort', hold.onAbort);
    const heldMs = this.#clock.now() - beganAtMs;
    const report = { storeName, resourceId, lockOwner, fencingToken, ...how, heldMs };
    for (const observer of subject.observers) observer.holdEnded?.(report);
    subject.over(how.outcome, error);
  }

  /** Releases the lock. Repeated until the store answers or the lease has ended. */
  #release(hold: Hold): void {
    hold.state = 'releasing';
    hold.call?.abort();
    hold.renewAtMs = Infinity;
    void release(hold).then((failure) => {
      if (hold.state !== 'releasing') return;
      const isPassing = failure?.kind === 'unavailable' || failure?.kind === 'deadline';
      if (isPassing) hold.renewAtMs = this.#clock.now() + RELEASE_PAUSE_MS;
      else this.#end(hold);
      this.#schedule(hold);
    });
    this.#schedule(hold);
  }

  #releaseAgain(hold: Hold, nowMs: number): void {
    if (nowMs >= hold.mayLastUntilMs) this.#end(hold);
    else this.#release(hold);
  }

  #end(hold: Hold): void {
    hold.state = 'ended';
    hold.call?.abort();
    this.#deadlines.delete(hold);
    if (this.#holds.delete(hold)) this.#stores.leave(hold.subject.store);
  }

  #schedule(hold: Hold): void {
    if (hold.state !== 'ended') this.#deadlines.set(hold, hold.nextMs);
  }

  #emitAtRisk(hold: Hold, reason: AtRiskReason): void {
    this.#emit(hold, (validMs) => ({ type: 'atRisk', validMs, reason }));
  }

  /** Emits an event that implies a held lock, unless the lease may have ended. */
  #emit(hold: Hold, toEvent: (validMs: number) => HoldEvent): void {
    if (this.#clock.now() >= hold.endMs) return;
    tell(hold, toEvent(Math.floor(this.#clock.toMonotonic(hold.endMs) - hold.subject.arrivedAtMs)));
  }

  #report({ subject }: Hold, outcome: RenewalOutcome): void {
    for (const observer of subject.observers) observer.renewalEnded?.(subject.storeName, outcome);
  }
}

function tell({ subject: { storeName, sink, observers } }: Hold, event: HoldEvent): void {
  sink.emit(event);
  for (const observer of observers) observer.told?.(storeName, event);
}

function toRenewalOutcome({ state }: RenewalEnd): RenewalOutcome {
  if (state === 'renewed' || state === 'failed') return state;
  return 'gone';
}
