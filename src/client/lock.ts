/** A lock that is held, and renewed by the sidecar, until it is released. */
export interface Lock extends AsyncDisposable {
  readonly resourceId: string;
  readonly owner: string;
  /** The fencing token: send it with each read and write of what the lock guards. */
  readonly token: number;
  /**
   * Aborts as soon as the lock is at risk or lost, with a `LockAtRiskError` or a `LockLostError` as its
   * reason. It aborts once; {@link Lock.validForMs} may grow again if a later renewal succeeds.
   */
  readonly signal: AbortSignal;
  /** Aborts when the lock is lost, with a `LockLostError`. */
  readonly lost: AbortSignal;
  /**
   * Remaining time of the lease, in milliseconds, counted from when the lock was requested. 0 after
   * it is lost or released.
   */
  readonly validForMs: number;
  /**
   * Releases the lock. Leaving the scope of an `await using` does the same.
   *
   * @throws {LockLostError} if the lock was not held any more: others may have worked in the meantime
   * @throws {LockUnreachableError} if the sidecar can't be reached; the lock may stay until its lease ends
   */
  release(): Promise<void>;
}
