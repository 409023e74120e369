import type { CancelSignal } from '../base/cancellation';
import type { Attempt } from './attempt';
import type { ForceReleaseCall, Grant, StoreAbilities } from './store-abilities';

/** A try for a lock, as a store sees it: the key is complete, the call is validated. */
export interface TryLockCall {
  /** The whole key, prefix included, as it stands in the store. */
  readonly key: string;
  /** Who asks, byte for byte what the caller sent; compared, never interpreted. */
  readonly owner: string;
  /** How long the lease lasts, in milliseconds on the store's clock; at least 1. */
  readonly ttlMs: number;
  /** Which client call this is; a repeated one is recognised by it and has no second effect. */
  readonly attempt: Attempt;
}

/** A release, as a store sees it; the fields are those of {@link TryLockCall}. */
export type UnlockCall = Omit<TryLockCall, 'ttlMs'>;

/** The answer to a {@link TryLockCall}. A lock that is held is an answer, not an error. */
export interface TryLockResult {
  /** False means that this call holds nothing. */
  readonly acquired: boolean;
  /** Where it was acquired at a store that gives tokens; a Redis user who may not run TIME gets none. */
  readonly grant?: Grant | undefined;
}

/**
 * The answer to an {@link UnlockCall}: `unlocked` means that this call released the lock;
 * the other two were true at one moment during the call and not by this call's own doing.
 */
export type UnlockOutcome = 'unlocked' | 'not_found' | 'held_by_other';

/**
 * Keeps locks: the contract between the lock service and every driver, proved by the one
 * conformance suite in test/conformance.
 *
 * A store never waits for a lock, is not re-entrant (the owner that holds a lock is refused like
 * any other, as daprd does), releases by one atomic compare-and-delete, and lets a lease expire
 * on its own clock. Every method but `close` rejects with {@link StoreError} and nothing else.
 *
 * An attempt that took effect is recognised when it is repeated: it has no second effect and is
 * answered alike. A refused one may be answered anew.
 *
 * What only some stores can do stands in {@link StoreAbilities}.
 */
export interface LockStore extends StoreAbilities {
  /** Connects and checks the server. The signal is the component's init time-out. */
  init(signal: AbortSignal): Promise<void>;
  /** Takes the lock if it is free or expired. The signal ends the call, not the lease. */
  tryLock(call: TryLockCall, signal: CancelSignal): Promise<TryLockResult>;
  /** Releases the lock if it is held by exactly this owner. */
  unlock(call: UnlockCall, signal: CancelSignal): Promise<UnlockOutcome>;
  /**
   * Undoes exactly this attempt, or makes sure that it never takes effect: no other lock, not even
   * a later one of the same owner, is touched. For a call that has ended for good without its
   * success reaching the caller; never while the attempt may be tried again.
   *
   * Resolves once that is certain, by the store's answer or by the passing of time; rejects with
   * kind `closed` where the store is closed before.
   */
  withdraw(call: TryLockCall | UnlockCall | ForceReleaseCall): Promise<void>;
  /** Resolves if the store can be used now. */
  ping(signal: AbortSignal): Promise<void>;
  /**
   * Gives back every resource; idempotent. Later calls reject with kind `closed`.
   *
   * @param grace while it is not aborted, calls in flight and withdrawals may come to their end;
   *   without it they end at once
   */
  close(grace?: AbortSignal): Promise<void>;
}

/**
 * Why a store could not answer.
 * - `unavailable`: it can't be reached, or says that it can't serve now
 * - `deadline`: no answer came in time, or the caller ended the call
 * - `rejected`: it answered with an error that a repeated call would meet again
 * - `protocol`: what came back is not an answer
 * - `closed`: the store was closed
 * - `unsupported`: it lacks what one of its {@link StoreAbilities} needs; nothing was done
 */
export type StoreErrorKind =
  'unavailable' | 'deadline' | 'rejected' | 'protocol' | 'closed' | 'unsupported';

/**
 * What the failed call left behind: `not-applied` means nothing, for certain; `unknown` means that
 * it may have taken effect, or may yet.
 */
export type StoreErrorOutcome = 'not-applied' | 'unknown';

/** The one error that a {@link LockStore} throws. Its message is shown to the client. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;
  readonly outcome: StoreErrorOutcome;
  readonly reason: string | undefined;

  /**
   * @param message what failed, in words that may reach the client: no owner, no secret
   * @param options the two verdicts; the driver's own error as `cause` for the log; as `reason` what
   *   tells failures of one kind apart in the log, from a list that is closed
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
