import type { LockError } from './lock-errors';
import type { UnlockOutcome } from './lock-store';

/**
 * How a lock call ended, in the words of the store contract. `error` left nothing behind;
 * `unknown` may have taken effect, and is being undone; `overloaded` was turned away before anything was
 * done, as too many calls were under way.
 */
export type LockOutcome =
  'acquired' | 'refused' | UnlockOutcome | 'error' | 'unknown' | 'overloaded';

/** A lock call that begins. */
export interface LockCallSubject {
  readonly operation: 'tryLock' | 'unlock';
  /** As the client wrote it. */
  readonly storeName: string;
  /** False where there is no such store: then the name is any text that a client came up with. */
  readonly isKnownStore: boolean;
  readonly resourceId: string;
  /** Shown at log level debug only: owners are identities. */
  readonly lockOwner: string;
}

/** What is known of a lock call that has ended. */
export interface LockCallReport extends LockCallSubject {
  readonly outcome: LockOutcome;
  readonly durationMs: number;
  /** Present where the outcome is `error`, `unknown` or `overloaded`. */
  readonly error?: LockError | undefined;
}

/**
 * Is told of every lock call; this is how logs, metrics and traces learn of locks without the
 * lock room knowing them. Must not throw.
 */
export interface LockObserver {
  started?(subject: LockCallSubject): void;
  ended(report: LockCallReport): void;
}
