import type { CancelSignal } from '../base/cancellation';
import type { Attempt } from './attempt';
import type { ForceReleaseCall, Grant, StoreAbilities } from './store-abilities';

/** A request for a lock, as a store sees it: the key is complete, and the call is validated. */
export interface TryLockCall {
  /** The complete key with its prefix. */
  readonly key: string;
  /** The owner, exactly as the caller sent it. It is compared, never interpreted. */
  readonly owner: string;
  /** Length of the lease in milliseconds on the store's clock; at least 1. */
  readonly ttlMs: number;
  /** Identifies the client's call. A repeated call is recognised by it and has no second effect. */
  readonly attempt: Attempt;
}

/** A release, as a store sees it. The fields are those of {@link TryLockCall}. */
export type UnlockCall = Omit<TryLockCall, 'ttlMs'>;

/** The answer to a {@link TryLockCall}. A held lock is an answer, not an error. */
export interface TryLockResult {
  /** False means that this call holds nothing. */
  readonly acquired: boolean;
  /**
   * The grant of an acquired lock, if the store issues tokens. For a Redis user who may not run
   * TIME, it does not.
   */
  readonly grant?: Grant | undefined;
}

/**
 * The answer to an {@link UnlockCall}. `unlocked` means that this call released the lock. The other
 * two were true at some moment during the call, and not because of this call.
 */
export type UnlockOutcome = 'unlocked' | 'not_found' | 'held_by_other';

/**
 * A store of locks: the contract between the lock service and every driver, verified by the
 * conformance suite in test/conformance.
 *
 * A store never waits for a lock. It is not re-entrant: as in daprd, the owner that holds a lock is
 * refused like any other. It releases by one atomic compare-and-delete, and lets a lease expire on
 * its own clock. Every method but `close` rejects only with {@link StoreError}.
 *
 * A repeated attempt that took effect is recognised: it has no second effect and gets the same
 * answer. A repeated attempt that was refused may get another answer.
 *
 * {@link StoreAbilities} describes what only some stores can do.
 */
export interface LockStore extends StoreAbilities {
  /** Connects and checks the server. The signal is the component's init timeout. */
  init(signal: AbortSignal): Promise<void>;
  /** Takes the lock if it is free or expired. The signal ends the call, not the lease. */
  tryLock(call: TryLockCall, signal: CancelSignal): Promise<TryLockResult>;
  /** Releases the lock if it is held by exactly this owner. */
  unlock(call: UnlockCall, signal: CancelSignal): Promise<UnlockOutcome>;
  /**
   * Undoes exactly this attempt, or makes sure that it never takes effect. No other lock is
   * affected, not even a later one of the same owner. Use it for a call that has ended for good
   * without its success reaching the caller, never while the attempt may be tried again.
   *
   * Resolves once that is certain, from the store's answer or because enough time has passed.
   * Rejects with kind `closed` if the store is closed before.
   */
  withdraw(call: TryLockCall | UnlockCall | ForceReleaseCall): Promise<void>;
  /** Resolves if the store can be used now. */
  ping(signal: AbortSignal): Promise<void>;
  /**
   * Releases all resources. Can be called again. Later calls reject with kind `closed`.
   *
   * @param grace calls in flight and withdrawals may finish until it aborts; without it they end at
   *   once
   */
  close(grace?: AbortSignal): Promise<void>;
}

/**
 * Why a store could not answer.
 * - `unavailable`: it can't be reached, or says that it can't serve now
 * - `deadline`: no answer came in time, or the caller ended the call
 * - `rejected`: it answered with an error that a repeated call would get again
 * - `protocol`: the reply was not an answer
 * - `closed`: the store was closed
 * - `unsupported`: it lacks what one of its {@link StoreAbilities} needs; nothing was done
 */
export type StoreErrorKind =
  'unavailable' | 'deadline' | 'rejected' | 'protocol' | 'closed' | 'unsupported';

/**
 * The effect of a failed call: `not-applied` means none, for certain. `unknown` means that it may
 * have taken effect, or may do so later.
 */
export type StoreErrorOutcome = 'not-applied' | 'unknown';

/** The only error that a {@link LockStore} throws. Its message is shown to the client. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;
  readonly outcome: StoreErrorOutcome;
  readonly reason: string | undefined;

  /**
   * Recognises an error by its name. A store that is a part of its own in dist brings a copy of this
   * class, whose errors count as well. So there are no subclasses: `kind` and `reason` tell errors
   * apart.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'StoreError';
  }

  /**
   * @param message what failed, in words that may reach the client: no owner, no secret
   * @param options the kind and the outcome; `cause` is the driver's own error, for the log;
   *   `reason` distinguishes failures of one kind in the log, from a fixed list
   */
  constructor(
    message: string,
    options: {
      kind: StoreErrorKind;
      outcome: StoreErrorOutcome;
      cause?: unknown;
      reason?: string | undefined;
    },
  ) {
    super(message, { cause: options.cause });
    this.kind = options.kind;
    this.outcome = options.outcome;
    this.reason = options.reason;
  }
}
