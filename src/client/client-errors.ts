import type { LockInfo } from './lock-calls';

/** Every error of the client, so that one `instanceof` tells them from the work's own. */
export class HoldfastError extends Error {
  override readonly name: string = 'HoldfastError';
}

/** Somebody else has the lock, and the time to wait for it is over. This client holds nothing. */
export class LockNotAcquiredError extends HoldfastError {
  override readonly name = 'LockNotAcquiredError';
  readonly resourceId: string;
  /** The holder. Undefined if it was free again by then, or could not be looked at. */
  readonly holder: LockInfo | undefined;

  constructor(resourceId: string, holder: LockInfo | undefined) {
    const by = holder === undefined ? 'another' : `${holder.lockOwner}${describeEnd(holder)}`;
    super(`the lock "${resourceId}" was not acquired: it is held by ${by}`);
    this.resourceId = resourceId;
    this.holder = holder;
  }
}

function describeEnd({ ttlMs }: LockInfo): string {
  return ttlMs === undefined
    ? ''
    : `, whose lease lasts for another ${(ttlMs / 1000).toFixed(1)} s`;
}

/**
 * Why a lock was lost.
 * - `EXPIRED`: its lease ended, or nobody holds it any more
 * - `TAKEN_OVER`: another grant has the lock
 * - `STORE_UNREACHABLE`: its lease ended while the sidecar could not reach the store
 */
export type LostReason = 'EXPIRED' | 'TAKEN_OVER' | 'STORE_UNREACHABLE';

const LOST: Readonly<Record<LostReason, string>> = {
  EXPIRED: 'its lease ended, or it was released by somebody else',
  TAKEN_OVER: 'another has it',
  STORE_UNREACHABLE: 'its lease ended while the store could not be reached',
};

/** The lock is no longer held: others may have it by now. */
export class LockLostError extends HoldfastError {
  override readonly name = 'LockLostError';
  readonly resourceId: string;
  readonly reason: LostReason;

  constructor(resourceId: string, reason: LostReason) {
    super(`the lock "${resourceId}" was lost: ${LOST[reason]}`);
    this.resourceId = resourceId;
    this.reason = reason;
  }
}

/**
 * Why a lock that is still held may be lost soon.
 * - `RENEWAL_FAILED`: the sidecar could not renew it; it tries again
 * - `SIDECAR_STOPPING`, `STORE_REMOVED`: the sidecar renews nothing any more
 * - `DISCONNECTED`: the connection to the sidecar broke
 * - `NOT_RENEWED`: the sidecar said nothing for so long that little of the lease is left
 */
export type AtRiskReason =
  'RENEWAL_FAILED' | 'SIDECAR_STOPPING' | 'STORE_REMOVED' | 'DISCONNECTED' | 'NOT_RENEWED';

const AT_RISK: Readonly<Record<AtRiskReason, string>> = {
  RENEWAL_FAILED: 'it could not be renewed',
  SIDECAR_STOPPING: 'the sidecar stops',
  STORE_REMOVED: 'the component of its store was removed',
  DISCONNECTED: 'the connection to the sidecar broke',
  NOT_RENEWED: 'the sidecar has not renewed it',
};

/** The lock is still held, but may be lost when its lease ends. */
export class LockAtRiskError extends HoldfastError {
  override readonly name = 'LockAtRiskError';
  readonly resourceId: string;
  readonly reason: AtRiskReason;
  /** Remaining time of the lease, in milliseconds. */
  readonly validForMs: number;

  constructor(resourceId: string, reason: AtRiskReason, validForMs: number) {
    const left = `${(validForMs / 1000).toFixed(1)} s are left of its lease`;
    super(`the lock "${resourceId}" is at risk: ${AT_RISK[reason]}, and ${left}`);
    this.resourceId = resourceId;
    this.reason = reason;
    this.validForMs = validForMs;
  }
}

/**
 * The sidecar, or its store, could not be reached or did not answer in time. If the call was sent, it may have taken
 * effect.
 */
export class LockUnreachableError extends HoldfastError {
  override readonly name = 'LockUnreachableError';
}

/** The sidecar refused the call because of what it asks for or who asks. A repeated call would be refused too. */
export class LockRejectedError extends HoldfastError {
  override readonly name = 'LockRejectedError';
  /** The gRPC status, such as `INVALID_ARGUMENT`. */
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The names of the gRPC statuses of calls that may succeed when they are made again. */
const PASSING = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'UNKNOWN', 'CANCELLED', 'ABORTED'];

/** True for a failure that is a {@link LockUnreachableError}; any other is a {@link LockRejectedError}. */
export function isPassing(grpcCode: string): boolean {
  return PASSING.includes(grpcCode);
}
