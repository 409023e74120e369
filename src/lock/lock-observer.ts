import type { LockError } from './lock-errors';
import type { UnlockOutcome } from './lock-store';
import type { LostReason } from './native-lock-service';

/** Dapr's calls, and those of the native API. */
export type LockOperation =
  'tryLock' | 'unlock' | 'acquire' | 'renew' | 'release' | 'hold' | 'get' | 'list' | 'forceRelease';

/**
 * How a lock call ended, in the words of the store contract. `error` left nothing behind;
 * `unknown` may have taken effect, and is being undone; `overloaded` was turned away before anything was
 * done, as too many calls were under way. A wait or a hold may also end as its caller `left` before it had
 * the lock, or as the sidecar `stopped`.
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
 * How a wait ended: `granted`; `over`, as its time was; `ended`, as the caller left, the sidecar stops or the
 * component was removed; `failed`, as the store did.
 */
export type WaitOutcome = 'granted' | 'over' | 'ended' | 'failed';

/** A wait that has ended. */
export interface WaitReport {
  readonly storeName: string;
  readonly outcome: WaitOutcome;
  readonly waitedMs: number;
}

/**
 * How a renewal of a hold went: `renewed`; `gone`, as the lock is free or another's; `failed`, as the store did;
 * `withheld`, as the client doesn't read what it was told.
 */
export type RenewalOutcome = 'renewed' | 'gone' | 'failed' | 'withheld';

/**
 * How a hold ended, once it held its lock: `released`, as its client ended it; `lost`; `abandoned`, with its lease left to
 * run out, as its client fell silent or the sidecar stops.
 */
export type HoldOutcome = 'released' | 'lost' | 'abandoned';

/** A hold that has ended. */
export interface HoldReport {
  readonly storeName: string;
  readonly resourceId: string;
  readonly lockOwner: string;
  readonly fencingToken: number;
  readonly outcome: HoldOutcome;
  /** Present where the lock was lost. */
  readonly lostBy?: LostReason | undefined;
  readonly heldMs: number;
}

/** A lock that was released by force. */
export interface ForceReleaseReport {
  readonly storeName: string;
  readonly resourceId: string;
  /** Of the grant that was released; 0 where it had none. */
  readonly fencingToken: number;
  /** What the caller said. */
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
}

/** A finished lock call. */
export interface LockCallReport extends LockCallSubject {
  readonly outcome: LockOutcome;
  readonly durationMs: number;
  /** Present where the outcome is `error`, `unknown`, `overloaded`, `left` or `stopped`. */
  readonly error?: LockError | undefined;
}

/**
 * Called for every lock call. Logs, metrics and traces use it, so that the lock room does not
 * depend on them. Must not throw.
 */
export interface LockObserver {
  started?(subject: LockCallSubject): void;
  ended(report: LockCallReport): void;
  /** One more waits in turn. */
  waitBegan?(storeName: string): void;
  waitEnded?(report: WaitReport): void;
  /** The store woke a waiter: the lock that it leads for may be free. */
  woken?(storeName: string): void;
  /** One more hold has its lock. */
  holdBegan?(storeName: string): void;
  holdEnded?(report: HoldReport): void;
  renewalEnded?(storeName: string, outcome: RenewalOutcome): void;
  forceReleased?(report: ForceReleaseReport): void;
}
