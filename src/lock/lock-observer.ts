import type { LockError } from './lock-errors';
import type { UnlockOutcome } from './lock-store';

/**
 * How a lock call ended. `error`: it failed and had no effect. `unknown`: it may have taken effect
 * and is being undone. `overloaded`: it was refused because too many calls were in flight, and
 * nothing was done. The others are those of the store contract.
 */
export type LockOutcome =
  'acquired' | 'refused' | UnlockOutcome | 'error' | 'unknown' | 'overloaded';

/** A lock call at its start. */
export interface LockCallSubject {
  readonly operation: 'tryLock' | 'unlock';
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
  /** Present if the outcome is `error`, `unknown` or `overloaded`. */
  readonly error?: LockError | undefined;
}

/**
 * Called for every lock call. Logs, metrics and traces use it, so that the lock room does not
 * depend on them. Must not throw.
 */
export interface LockObserver {
  started?(subject: LockCallSubject): void;
  ended(report: LockCallReport): void;
}
