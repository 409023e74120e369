import { LockError } from './lock-errors';
import { LockKeyError } from './lock-key';
import type { LockCallReport, LockCallSubject, LockObserver, LockOutcome } from './lock-observer';
import { StoreError } from './lock-store';

/** A call in progress, as observers see it. The result is filled in at its end. */
export class ObservedLockCall implements LockCallReport {
  readonly operation: LockCallSubject['operation'];
  readonly storeName: string;
  readonly isKnownStore: boolean;
  readonly resourceId: string;
  readonly lockOwner: string;
  readonly leaseMs: number | undefined;
  outcome: LockOutcome = 'unknown';
  durationMs = 0;
  error: LockError | undefined;
  readonly #observers: readonly LockObserver[];
  readonly #startedAt = performance.now();

  constructor(observers: readonly LockObserver[], subject: LockCallSubject) {
    this.operation = subject.operation;
    this.storeName = subject.storeName;
    this.isKnownStore = subject.isKnownStore;
    this.resourceId = subject.resourceId;
    this.lockOwner = subject.lockOwner;
    this.leaseMs = subject.leaseMs;
    this.#observers = observers;
    for (const observer of observers) observer.started?.(this);
  }

  /** Reports the result. */
  ended(outcome: LockOutcome, error?: LockError): void {
    this.outcome = outcome;
    this.error = error;
    this.durationMs = performance.now() - this.#startedAt;
    for (const observer of this.#observers) observer.ended(this);
  }

  /** Reports a failure and returns it. */
  failed<E>(error: E): E {
    if (error instanceof LockError) this.ended(toFailedOutcome(error), error);
    return error;
  }
}

function toFailedOutcome({ errorCode, cause }: LockError): LockOutcome {
  if (errorCode === 'ERR_LOCK_OVERLOADED') return 'overloaded';
  if (errorCode === 'ERR_LOCK_CANCELLED') return 'left';
  if (errorCode === 'ERR_LOCK_STOPPING') return 'stopped';
  return isOutcomeUnknown(cause) ? 'unknown' : 'error';
}

/** Whether the store says so. After a bug, the effect is unknown too. */
function isOutcomeUnknown(cause: unknown): boolean {
  if (cause === undefined || cause instanceof LockKeyError) return false;
  return !(cause instanceof StoreError) || cause.outcome === 'unknown';
}
