import type { LockError } from './lock-errors';
import type { UnlockOutcome } from './lock-store';
import type { HoldEvent, LostReason } from './native-lock-service';

/** The calls of Dapr's API and of the native API. */
export type LockOperation =
  'tryLock' | 'unlock' | 'acquire' | 'renew' | 'release' | 'hold' | 'get' | 'list' | 'forceRelease';

/**
 * The result of a lock call.
 * - `error`: it failed and had no effect
 * - `unknown`: it failed, may have taken effect, and is being undone
 * - `overloaded`: it was refused at once, because too many calls were in progress
 * - `left`, `stopped`: the caller left, or the sidecar stopped, before the call had its lock
 * - `lost`, `abandoned`: see {@link HoldOutcome}
 * - `seen`: locks were read
 */
export type LockOutcome =
  | 'acquired'
  | 'refused'
  | UnlockOutcome
  | 'renewed'
  | 'lost'
  | 'abandoned'
  | 'seen'
  | 'left'
  | 'stopped'
  | 'error'
  | 'unknown'
  | 'overloaded';

/**
 * The result of a wait.
 * - `over`: its time was over
 * - `ended`: the caller left, the sidecar stops, or the component was removed
 * - `failed`: the store failed
 */
export type WaitOutcome = 'granted' | 'over' | 'ended' | 'failed';

/** A wait that has ended. */
export interface WaitReport {
  readonly storeName: string;
  readonly outcome: WaitOutcome;
  readonly waitedMs: number;
}

/**
 * The result of a renewal of a hold.
 * - `gone`: the lock is free or held by another grant
 * - `failed`: the store failed
 * - `withheld`: it was not sent, because the client does not read its events
 */
export type RenewalOutcome = 'renewed' | 'gone' | 'failed' | 'withheld';

/**
 * The result of a hold that got its lock.
 * - `released`: the client ended it
 * - `lost`: the lock was lost
 * - `abandoned`: the client fell silent or the sidecar stops, and the lease is left to expire
 */
export type HoldOutcome = 'released' | 'lost' | 'abandoned';

/** A hold that has ended. */
export interface HoldReport {
  readonly storeName: string;
  readonly resourceId: string;
  readonly lockOwner: string;
  readonly fencingToken: number;
  readonly outcome: HoldOutcome;
  /** Present if the lock was lost. */
  readonly lostBy?: LostReason | undefined;
  readonly heldMs: number;
}

/** A lock that was released by force. */
export interface ForceReleaseReport {
  readonly storeName: string;
  readonly resourceId: string;
  /** The token of the released grant; 0 if it had none. */
  readonly fencingToken: number;
  /** The reason that the caller gave. */
  readonly reason: string;
}

/** A lock call at its start. */
export interface LockCallSubject {
  readonly operation: LockOperation;
  /** As the client wrote it. */
  readonly storeName: string;
  /** False if there is no such store. Then the name is arbitrary text of a client. */
  readonly isKnownStore: boolean;
  readonly resourceId: string;
  /** Logged only at level debug, because owners are identities. */
  readonly lockOwner: string;
  /** The requested lease in milliseconds, as the client wrote it. Undefined if it requests none. */
  readonly leaseMs?: number | undefined;
}

/** A finished lock call. */
export interface LockCallReport extends LockCallSubject {
  readonly outcome: LockOutcome;
  readonly durationMs: number;
  /** Present if the outcome is `error`, `unknown`, `overloaded`, `left` or `stopped`. */
  readonly error?: LockError | undefined;
}

/**
 * Called for every lock call. Logs, metrics and traces use it, so that the lock room does not
 * depend on them. Must not throw.
 */
export interface LockObserver {
  started?(subject: LockCallSubject): void;
  ended(report: LockCallReport): void;
  /** A wait has begun. */
  waitBegan?(storeName: string): void;
  waitEnded?(report: WaitReport): void;
  /** The store woke a waiter, because its lock may be free. */
  woken?(storeName: string): void;
  /** A waiter stands in the queue, behind so many others. Called once per wait. */
  queued?(storeName: string, ahead: number): void;
  /** A hold has its lock. */
  holdBegan?(
    storeName: string,
    hold: { readonly resourceId: string; readonly lockOwner: string },
  ): void;
  /** A hold that has its lock told its client an event. The event names the owner. */
  told?(storeName: string, event: HoldEvent): void;
  holdEnded?(report: HoldReport): void;
  renewalEnded?(storeName: string, outcome: RenewalOutcome): void;
  forceReleased?(report: ForceReleaseReport): void;
}
