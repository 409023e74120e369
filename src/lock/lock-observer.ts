import type { LockError } from './lock-errors';
import type { UnlockOutcome } from './lock-store';

/** How a lock call ended, in the words of the store contract. */
export type LockOutcome = 'acquired' | 'refused' | UnlockOutcome | 'error';

/** What is known of a lock call that has ended. */
export interface LockCallReport {
  readonly operation: 'tryLock' | 'unlock';
  readonly storeName: string;
  readonly resourceId: string;
  /** Shown at log level debug only: owners are identities. */
  readonly lockOwner: string;
  readonly outcome: LockOutcome;
  /** Present where the outcome is `error`. */
  readonly error?: LockError;
}

/**
 * Is told of every lock call that ended; this is how logs (and later metrics) learn of
 * locks without the lock room knowing them. Must not throw.
 */
export type LockObserver = (report: LockCallReport) => void;
