import type { AtRiskReason, LostReason } from './client-errors';

/** A lock that is held, as it was at one moment. */
export interface LockInfo {
  readonly resourceId: string;
  readonly lockOwner: string;
  /** 0 for a lock that was taken by a program that gives no token (daprd). */
  readonly fencingToken: number;
  /** Remaining time of the lease, in milliseconds. Undefined if the lock does not expire. */
  readonly ttlMs: number | undefined;
  /** The end of the lease on the store's clock, in milliseconds since 1970. 0 if the lock does not expire. */
  readonly expiresAtMs: number;
  /** How many calls wait for the lock. */
  readonly waiters: number;
}

/** A lease as an answer tells it. */
export interface LeaseAnswer {
  readonly lockOwner: string;
  readonly fencingToken: number;
  /** How long it is valid, in milliseconds from the moment at which the call was sent. */
  readonly validMs: number;
}

/** Names a lock. */
export interface LockName {
  readonly storeName: string;
  readonly resourceId: string;
}

/** Asks for a lock. */
export interface TakeCall extends LockName {
  readonly lockOwner: string;
  readonly ttlMs: number;
  readonly waitMs: number;
}

/** Names a grant; without a token, whichever the owner holds. */
export interface GrantCall extends LockName {
  readonly lockOwner: string;
  readonly fencingToken: number | undefined;
}

/** Asks for a longer lease. */
export interface RenewCall extends GrantCall {
  readonly ttlMs: number;
}

/** Asks for a page of the held locks. */
export interface ListCall {
  readonly storeName: string;
  readonly prefix: string;
  readonly pageSize: number | undefined;
  readonly pageToken: string;
}

/** Releases the grant that was looked at, whoever holds it. */
export interface ForceReleaseCall extends LockName {
  readonly fencingToken: number;
  /** This and `expiresAtMs` name a grant without a token. */
  readonly lockOwner: string;
  readonly expiresAtMs: number | undefined;
  readonly reason: string;
}

/** The result of a release. */
export type ReleaseStatus = 'RELEASED' | 'NOT_FOUND' | 'HELD_BY_OTHER';

/** The answer to an acquire. */
export type TakeAnswer =
  | { readonly acquired: true; readonly lease: LeaseAnswer }
  | { readonly acquired: false; readonly holder: LockInfo | undefined };

/** The answer to a renewal. */
export type RenewAnswer =
  | { readonly status: 'RENEWED'; readonly lease: LeaseAnswer }
  | { readonly status: 'NOT_FOUND' | 'HELD_BY_OTHER' };

/** A page of the held locks. */
export interface LockPage {
  readonly locks: readonly LockInfo[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/**
 * The events of a hold (proto/holdfast/v1/locks.proto). Each `validMs` counts from when the call
 * was sent.
 */
export type HoldEvent =
  | { readonly type: 'queued'; readonly ahead: number }
  | { readonly type: 'held'; readonly lease: LeaseAnswer }
  | { readonly type: 'renewed'; readonly validMs: number }
  | { readonly type: 'atRisk'; readonly validMs: number; readonly reason: AtRiskReason }
  | { readonly type: 'lost'; readonly reason: LostReason }
  | { readonly type: 'refused'; readonly holder: LockInfo | undefined };

/** Hears of a hold. */
export interface HoldListener {
  event(event: HoldEvent): void;
  /** The call is over, and no event follows; with the reason, unless it ended in an orderly way. */
  ended(error: Error | undefined): void;
}

/** Limits of a call. */
export interface CallLimits {
  /** How long to wait for the answer, in milliseconds, including the time that the call may wait for a lock. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The calls of holdfast.v1.Locks, whatever carries them: gRPC to a sidecar, or a store in this process. Each rejects
 * with a `HoldfastError`, or with the reason of the signal that aborted it.
 */
export interface LockCalls {
  acquire(call: TakeCall, limits: CallLimits): Promise<TakeAnswer>;
  renew(call: RenewCall, limits: CallLimits): Promise<RenewAnswer>;
  release(call: GrantCall, limits: CallLimits): Promise<ReleaseStatus>;
  /** Begins a hold. The function that it returns ends it, which releases the lock; nothing is told after that. */
  hold(call: TakeCall, listener: HoldListener): () => void;
  get(call: LockName, limits: CallLimits): Promise<LockInfo | undefined>;
  list(call: ListCall, limits: CallLimits): Promise<LockPage>;
  forceRelease(call: ForceReleaseCall, limits: CallLimits): Promise<ReleaseStatus>;
  /** Ends all calls and connections. Idempotent. */
  close(): Promise<void>;
}
