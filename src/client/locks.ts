import type { Lock } from './lock';
import type { LockInfo, ReleaseStatus } from './lock-calls';

/** How to take a lock. */
export interface TakeOptions {
  /** Length of the lease in milliseconds, 10 to 2147483647. Default 30000. */
  readonly ttlMs?: number | undefined;
  /** How long to wait in turn for the lock, in milliseconds, 0 to 86400000. Default 0: not at all. */
  readonly waitMs?: number | undefined;
  /** Ends the wait. Once the lock is held, it has no effect. */
  readonly signal?: AbortSignal | undefined;
  /** The owner's name. Default: host, process id and random letters, so that a person can find the holder. */
  readonly owner?: string | undefined;
}

/** How to hold a lock. */
export interface HoldOptions extends TakeOptions {
  /** Called once if another has the lock and this call waits in turn behind `ahead` others. */
  readonly onQueued?: ((ahead: number) => void) | undefined;
}

/** Names a grant: its owner, and its token if it has one. */
export interface GrantOptions {
  readonly owner: string;
  /** Without it, whichever grant the owner's name holds. */
  readonly token?: number | undefined;
}

/** A lease that nobody renews unless the caller does. */
export interface Lease {
  readonly resourceId: string;
  readonly owner: string;
  readonly token: number;
  /** Remaining time of the lease, in milliseconds, counted from when the call was sent. */
  readonly validForMs: number;
}

/** The locks of a store. */
export interface Locks {
  /**
   * Takes a lock that the sidecar renews until it is released.
   *
   * @throws {LockNotAcquiredError} if another has it, with the holder
   * @throws {LockUnreachableError} if sidecar or store can't be reached
   * @throws {LockRejectedError} if a value is not allowed, or the caller has no permission
   */
  hold(resourceId: string, options?: HoldOptions): Promise<Lock>;
  /**
   * Runs work while a lock is held, and returns its result.
   *
   * @throws what the work throws; else `LockLostError` if the lock was lost before the work ended
   */
  withLock<Result>(
    resourceId: string,
    options: HoldOptions,
    work: (lock: Lock) => Result | Promise<Result>,
  ): Promise<Result>;
  /** Takes a lock as a lease of a fixed length. Throws as {@link Locks.hold} does. */
  acquire(resourceId: string, options?: TakeOptions): Promise<Lease>;
  /**
   * Moves the end of a lease to now + `ttlMs`, if that is later.
   *
   * @throws {LockLostError} if this grant does not have the lock any more
   */
  renew(resourceId: string, grant: GrantOptions & { readonly ttlMs?: number }): Promise<Lease>;
  /** Releases a lock. Only `RELEASED` means that this call released it. */
  release(resourceId: string, grant: GrantOptions): Promise<ReleaseStatus>;
  /** The holder of a lock. Undefined if it is free. */
  get(resourceId: string): Promise<LockInfo | undefined>;
  /** The held locks, in no particular order, loaded a page at a time. */
  list(options?: {
    readonly prefix?: string | undefined;
    readonly pageSize?: number | undefined;
  }): AsyncGenerator<LockInfo, void, undefined>;
  /**
   * Releases a lock whose holder is gone. It names the grant that {@link Locks.get} showed; another one is not
   * touched. This does not stop the holder.
   */
  forceRelease(
    seen: Pick<LockInfo, 'resourceId' | 'fencingToken'> &
      Partial<Pick<LockInfo, 'lockOwner' | 'expiresAtMs'>>,
    reason: string,
  ): Promise<ReleaseStatus>;
  /** Ends all connections. Locks that are held are released. */
  close(): Promise<void>;
}
