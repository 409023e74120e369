import type { Caller } from './lock-service';

/** What names a lock to a client; nothing is validated yet. */
export interface LockName {
  readonly storeName: string;
  readonly resourceId: string;
}

/** A request to take a lock, as either transport decoded it. */
export interface AcquireRequest extends LockName {
  /** Empty: one is drawn, and returned with the lease. */
  readonly lockOwner: string;
  /** How long the lease lasts, a whole number of milliseconds from 10 to 2^31-1. */
  readonly ttlMs: number;
  /** How long to wait in turn, a whole number of milliseconds from 0 (not at all) to 24 h. */
  readonly waitMs: number;
}

/** A request to prolong a lease. */
export interface RenewRequest extends LockName {
  readonly lockOwner: string;
  /** 1 to 2^53-1; undefined where the caller has none, as it took the lock by Dapr's API. */
  readonly fencingToken: number | undefined;
  /** The lease is to last that long from now on, where it doesn't last longer already; 10 to 2^31-1. */
  readonly ttlMs: number;
}

/** A request to release a lock: with a token only that grant, without one as an unlock. */
export type ReleaseRequest = Omit<RenewRequest, 'ttlMs'>;

/** A request to take a lock and to keep it for as long as the call lives. */
export type HoldRequest = AcquireRequest;

/** A request for the held locks of a store, a page at a time. */
export interface ListRequest {
  readonly storeName: string;
  /** Resources that begin so, taken literally; empty for all. */
  readonly prefix: string;
  /** 1 to 1000; undefined for 100. */
  readonly pageSize: number | undefined;
  /** `nextPageToken` of the page before; empty for the first. */
  readonly pageToken: string;
}

/**
 * A request to release a lock whoever holds it. It names the grant that was looked at: by `fencingToken`, or where
 * that is 0 by `lockOwner` and `expiresAtMs` of the view.
 */
export interface ForceReleaseRequest extends LockName {
  readonly fencingToken: number;
  /** Needed where the token is 0, looked at only then. */
  readonly lockOwner: string;
  /** Needed where the token is 0, looked at only then; {@link LockInfo.expiresAtMs}. */
  readonly expiresAtMs: number | undefined;
  /** Why, for the log: 1 to 256 characters, none of them a control character. */
  readonly reason: string;
}

/** A lease that was granted or renewed. */
export interface Lease {
  readonly lockOwner: string;
  /** 0 where the lock was taken by what gives no token, and then renewed. */
  readonly fencingToken: number;
  /** How long it is valid from the arrival of the call on, in whole milliseconds; never more than is true. */
  readonly validMs: number;
}

/** A lock that is held, as it was at one moment. */
export interface LockInfo {
  readonly resourceId: string;
  readonly lockOwner: string;
  /** 0 where the lock was taken by what gives no token: a daprd, a sidecar before tokens, a hand. */
  readonly fencingToken: number;
  /** What was left of the lease, in milliseconds; undefined where it doesn't end. */
  readonly ttlMs: number | undefined;
  /** Its end on the store's own clock, in milliseconds since 1970; 0 where it doesn't end. */
  readonly expiresAtMs: number;
  /** How many wait for it. */
  readonly waiters: number;
}

/**
 * The answer to an acquire. The holder is undefined where the lock is free by now (a waiter before this one may
 * be about to take it), or could not be looked at.
 */
export type AcquireAnswer =
  | { readonly acquired: true; readonly lease: Lease }
  | { readonly acquired: false; readonly holder: LockInfo | undefined };

/** The answer to a renewal. */
export type RenewAnswer =
  | { readonly status: 'RENEWED'; readonly lease: Lease }
  | { readonly status: 'NOT_FOUND' | 'HELD_BY_OTHER' };

/** The answer to a release, and to a forced one. */
export interface ReleaseAnswer {
  readonly status: 'RELEASED' | 'NOT_FOUND' | 'HELD_BY_OTHER';
}

/** A part of the held locks; may be empty though there are more. */
export interface ListAnswer {
  readonly locks: readonly LockInfo[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/** Why a held lock may be lost at its end: nothing renews it just now. */
export type AtRiskReason =
  /** A renewal failed; the next one may succeed, and says so by `renewed`. */
  | 'RENEWAL_FAILED'
  /** This sidecar stops: there are no more renewals. */
  | 'SIDECAR_STOPPING'
  /** The component was removed: there are no more renewals. */
  | 'STORE_REMOVED';

/** Why a hold lost its lock. */
export type LostReason =
  /** The lease ended: it was not renewed in time, or the store doesn't know it any more. */
  | 'EXPIRED'
  /** Another grant has the lock. */
  | 'TAKEN_OVER'
  /** The lease ended while the store could not be reached. */
  | 'STORE_UNREACHABLE';

/**
 * What a hold tells its client: `queued` at most once, then `held`, then any number of `renewed` and `atRisk`.
 * `lost` and `refused` are last. Every validMs counts from the arrival of the call.
 */
export type HoldEvent =
  | { readonly type: 'queued'; readonly ahead: number }
  | { readonly type: 'held'; readonly lease: Lease }
  | { readonly type: 'renewed'; readonly validMs: number }
  | { readonly type: 'atRisk'; readonly validMs: number; readonly reason: AtRiskReason }
  | { readonly type: 'lost'; readonly reason: LostReason }
  | { readonly type: 'refused'; readonly holder: LockInfo | undefined };

/** The way of a hold's events to its client; made by a transport. */
export interface HoldSink {
  /** Writes an event, or keeps it until it can be written. Must not throw; has no effect once the client has gone. */
  emit(event: HoldEvent): void;
  /**
   * False while the client doesn't read what it was sent. Then nothing is renewed, so that no more events come
   * but the last, and the lease runs out.
   */
  readonly isWritable: boolean;
}

/** Who makes a call of the native API. */
export interface NativeCaller extends Caller {
  /** When the call arrived, by `performance.now()`: before its body was read. */
  readonly arrivedAtMs: number;
}

/**
 * The reason of a caller's signal where the client did not end the call but merely fell silent: a PING that nobody
 * answered. Then a hold's lock is not released, as its client may still believe in it; its lease runs out.
 */
export class SilentCallerError extends Error {
  override readonly name = 'SilentCallerError';
}

/**
 * The reason of a caller's signal where the transport ends the call as the sidecar stops. A hold is then told so before
 * `abort` returns, and its lock is not released.
 */
export class SidecarStoppingError extends Error {
  override readonly name = 'SidecarStoppingError';
}

/**
 * The native API: one implementation behind every transport. Every rejection is a `LockError`; that a lock is
 * held is a value.
 */
export interface NativeLockService {
  /** Takes a lock, waiting in turn for up to `waitMs`. */
  acquire(request: AcquireRequest, caller: NativeCaller): Promise<AcquireAnswer>;
  /** Moves the end of a lease to now + ttlMs where that is later. */
  renew(request: RenewRequest, caller: NativeCaller): Promise<RenewAnswer>;
  /** Releases a lock. */
  release(request: ReleaseRequest, caller: NativeCaller): Promise<ReleaseAnswer>;
  /**
   * Takes a lock and keeps it until the client ends the call (its signal aborts), which releases it. Resolves after
   * the last event, and once the client has ended the call. Rejects where the lock could not be had, and when
   * the sidecar stops; after that, too, nothing is emitted any more.
   */
  hold(request: HoldRequest, caller: NativeCaller, sink: HoldSink): Promise<void>;
  /** Who holds a lock; undefined where it is free. */
  get(request: LockName, caller: NativeCaller): Promise<LockInfo | undefined>;
  /** Who holds what, a page at a time. */
  list(request: ListRequest, caller: NativeCaller): Promise<ListAnswer>;
  /** Releases a lock whoever holds it, where it is still the grant that the request names. */
  forceRelease(request: ForceReleaseRequest, caller: NativeCaller): Promise<ReleaseAnswer>;
  /**
   * Ends the calls that wait, whose tickets are withdrawn, and those that hold, whose locks are not released: each is told
   * how long its lease still lasts. Later ones are refused. Idempotent; to be called before the stores are closed.
   */
  stop(): void;
}
