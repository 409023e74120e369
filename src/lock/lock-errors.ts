/** The gRPC status codes of failed lock calls, with their names in the gRPC specification. */
export type GrpcCode =
  | 'INVALID_ARGUMENT'
  | 'FAILED_PRECONDITION'
  | 'INTERNAL'
  | 'RESOURCE_EXHAUSTED'
  | 'UNIMPLEMENTED'
  | 'UNAVAILABLE'
  | 'UNKNOWN'
  | 'CANCELLED';

/**
 * Dapr's error codes for locks, and one of Holdfast's own (ERR_LOCK_OVERLOADED). Sent as
 * `errorCode` over HTTP.
 */
export type LockErrorCode =
  | 'ERR_MALFORMED_REQUEST'
  | 'ERR_LOCK_STORE_NOT_CONFIGURED'
  | 'ERR_LOCK_STORE_NOT_FOUND'
  | 'ERR_LOCK_OVERLOADED'
  | 'ERR_TRY_LOCK'
  | 'ERR_UNLOCK'
  | 'ERR_LOCK_UNSUPPORTED'
  | 'ERR_LOCK_STORE_UNAVAILABLE'
  | 'ERR_LOCK_STORE_FAILED'
  | 'ERR_LOCK_OUTCOME_UNKNOWN'
  | 'ERR_LOCK_STOPPING'
  | 'ERR_LOCK_CANCELLED';

/**
 * The HTTP statuses of failed lock calls. 499 is nginx's status for a client that has disconnected.
 */
export type LockErrorStatus = 400 | 499 | 500 | 501 | 503;

/** The answer to a kind of failure; rows of {@link lockErrors}. */
interface WireForm {
  readonly errorCode: LockErrorCode;
  readonly httpStatus: LockErrorStatus;
  readonly grpcCode: GrpcCode;
  /** Seconds after which the same call may succeed. Undefined if waiting does not help. */
  readonly retryAfterSeconds?: number | undefined;
  /** The kind of call that exceeds its limit. Only for ERR_LOCK_OVERLOADED. */
  readonly excess?: 'calls' | 'waits' | 'holds' | undefined;
}

/** A failed lock call, with everything that both transports need for the answer. */
export class LockError extends Error implements WireForm {
  override readonly name = 'LockError';
  readonly errorCode: LockErrorCode;
  readonly httpStatus: LockErrorStatus;
  readonly grpcCode: GrpcCode;
  readonly retryAfterSeconds: number | undefined;
  readonly excess: WireForm['excess'];

  /** @param options the `cause` is for the log and is never sent */
  constructor(message: string, wireForm: WireForm, options?: { readonly cause: unknown }) {
    super(message, options);
    this.errorCode = wireForm.errorCode;
    this.httpStatus = wireForm.httpStatus;
    this.grpcCode = wireForm.grpcCode;
    this.retryAfterSeconds = wireForm.retryAfterSeconds;
    this.excess = wireForm.excess;
  }
}

const MALFORMED: WireForm = {
  errorCode: 'ERR_MALFORMED_REQUEST',
  httpStatus: 400,
  grpcCode: 'INVALID_ARGUMENT',
};
const NOT_CONFIGURED: WireForm = {
  errorCode: 'ERR_LOCK_STORE_NOT_CONFIGURED',
  httpStatus: 500,
  grpcCode: 'FAILED_PRECONDITION',
};
const NOT_FOUND: WireForm = {
  errorCode: 'ERR_LOCK_STORE_NOT_FOUND',
  httpStatus: 400,
  grpcCode: 'INVALID_ARGUMENT',
};
/**
 * 1 s is the shortest pause that HTTP's Retry-After can express, and enough: unless the store
 * hangs, the calls at the limit end within a quarter of it.
 */
const OVERLOADED: WireForm = {
  errorCode: 'ERR_LOCK_OVERLOADED',
  httpStatus: 503,
  grpcCode: 'RESOURCE_EXHAUSTED',
  retryAfterSeconds: 1,
};
const TRY_LOCK: WireForm = { errorCode: 'ERR_TRY_LOCK', httpStatus: 500, grpcCode: 'INTERNAL' };
const UNSUPPORTED: WireForm = {
  errorCode: 'ERR_LOCK_UNSUPPORTED',
  httpStatus: 501,
  grpcCode: 'UNIMPLEMENTED',
};
/**
 * gRPC's UNAVAILABLE tells clients that they may repeat the call, so it is used only if nothing was
 * done.
 */
const STORE_UNAVAILABLE: WireForm = {
  errorCode: 'ERR_LOCK_STORE_UNAVAILABLE',
  httpStatus: 503,
  grpcCode: 'UNAVAILABLE',
};
const STORE_FAILED: WireForm = {
  errorCode: 'ERR_LOCK_STORE_FAILED',
  httpStatus: 500,
  grpcCode: 'INTERNAL',
};
const OUTCOME_UNKNOWN: WireForm = {
  errorCode: 'ERR_LOCK_OUTCOME_UNKNOWN',
  httpStatus: 500,
  grpcCode: 'UNKNOWN',
};
const STOPPING: WireForm = {
  errorCode: 'ERR_LOCK_STOPPING',
  httpStatus: 503,
  grpcCode: 'UNAVAILABLE',
};
const CANCELLED: WireForm = {
  errorCode: 'ERR_LOCK_CANCELLED',
  httpStatus: 499,
  grpcCode: 'CANCELLED',
};
const UNLOCK: WireForm = { errorCode: 'ERR_UNLOCK', httpStatus: 500, grpcCode: 'INTERNAL' };

/**
 * The catalogue of errors: one row for each way in which a lock call can fail, in the order of
 * daprd's checks (dapr/dapr pkg/api/universal/lock.go, messages of pkg/messages/predefined.go).
 * docs/errors.md lists the same rows; a test compares the two.
 */
export const lockErrors = {
  /** Only for TryLock, and checked before everything else. */
  expiryNotPositive: (storeName: string) =>
    new LockError(`ExpiryInSeconds is not positive in lock store ${storeName}`, MALFORMED),
  /** No lock store was loaded at all. */
  storesNotConfigured: () => new LockError('lock store is not configured', NOT_CONFIGURED),
  resourceIdEmpty: (storeName: string) =>
    new LockError(`ResourceId is empty in lock store ${storeName}`, MALFORMED),
  lockOwnerEmpty: (storeName: string) =>
    new LockError(`LockOwner is empty in lock store ${storeName}`, MALFORMED),
  storeNotFound: (storeName: string) =>
    new LockError(`lock store ${storeName} not found`, NOT_FOUND),
  /** Not in daprd, which accepts calls until its memory is full. See `Admission`. */
  overloaded: (bound: number) =>
    new LockError(
      `the limit of ${bound} concurrent lock calls is reached; nothing was done, retry later`,
      { ...OVERLOADED, excess: 'calls' },
    ),
  /** The resource can't be a key, or the store failed. */
  tryLockFailed: (reason: string, cause: unknown) =>
    new LockError(`failed to try acquiring lock: ${reason}`, TRY_LOCK, { cause }),
  /** The resource can't be a key, or the store failed. */
  unlockFailed: (reason: string, cause: unknown) =>
    new LockError(`failed to release lock: ${reason}`, UNLOCK, { cause }),
  /** Native API: a value is not allowed. The reason names the value and the allowed ones. */
  valueNotAllowed: (storeName: string, reason: string) =>
    new LockError(`lock store ${storeName}: ${reason}`, MALFORMED),
  /** Native API: the kind of store, its server or its user lacks something that the call needs. */
  unsupported: (storeName: string, reason: string) =>
    new LockError(`lock store ${storeName} does not support this: ${reason}`, UNSUPPORTED),
  /** Native API. */
  tooManyWaits: (bound: number) =>
    new LockError(`the limit of ${bound} waiting calls is reached; nothing was done, retry later`, {
      ...OVERLOADED,
      excess: 'waits',
    }),
  /** Native API. */
  tooManyHolds: (bound: number) =>
    new LockError(
      `the limit of ${bound} calls that hold locks is reached; nothing was done, retry later`,
      { ...OVERLOADED, excess: 'holds' },
    ),
  /** Native API: the store could not be reached, and nothing was done. */
  storeUnavailable: (task: string, reason: string, cause: unknown) =>
    new LockError(`failed to ${task}: ${reason}`, STORE_UNAVAILABLE, { cause }),
  /** Native API: the store refused, and would refuse a repeated call too. Nothing was done. */
  storeFailed: (task: string, reason: string, cause: unknown) =>
    new LockError(`failed to ${task}: ${reason}`, STORE_FAILED, { cause }),
  /** Native API: the call may have taken effect, or may do so later. */
  outcomeUnknown: (task: string, reason: string, cause: unknown) =>
    new LockError(`failed to ${task}: ${reason}`, OUTCOME_UNKNOWN, { cause }),
  /** Native API, for calls that wait or hold. */
  stopping: (consequence: string) =>
    new LockError(`the sidecar is stopping: ${consequence}`, STOPPING),
  /** Native API, for calls that wait. */
  storeRemoved: (storeName: string) =>
    new LockError(`lock store ${storeName} was removed while the call waited`, NOT_FOUND),
  /** Native API: nobody receives it, but logs and metrics record it. */
  callerGone: () => new LockError('the caller left while it waited', CANCELLED),
} as const;
