import type { Caller } from './lock-service';

/** The name of a lock as a client gives it. Nothing is validated yet. */
export interface LockName {
  readonly storeName: string;
  readonly resourceId: string;
}

/** A request to take a lock, as either transport decoded it. */
export interface AcquireRequest extends LockName {
  /** If empty, one is generated and returned with the lease. */
  readonly lockOwner: string;
  /** Length of the lease in whole milliseconds, from 10 to 2^31-1. */
  readonly ttlMs: number;
  /** How long to wait for the lock, in whole milliseconds, from 0 (not at all) to 24 hours. */
  readonly waitMs: number;
}

/** A request to extend a lease. */
export interface RenewRequest extends LockName {
  readonly lockOwner: string;
  /** 1 to 2^53-1. Undefined if the caller has none, because it took the lock through Dapr's API. */
  readonly fencingToken: number | undefined;
  /** The remaining time that the lease shall have at least, in milliseconds; 10 to 2^31-1. */
  readonly ttlMs: number;
}

/**
 * A request to release a lock. With a token it releases only that grant; without one it is an
 * unlock.
 */
export type ReleaseRequest = Omit<RenewRequest, 'ttlMs'>;

/** A request to take a lock and keep it while the call lives. */
export type HoldRequest = AcquireRequest;

/** A request for one page of a store's held locks. */
export interface ListRequest {
  readonly storeName: string;
  /** The literal beginning of the resources; empty for all. */
  readonly prefix: string;
  /** 1 to 1000; undefined means 100. */
  readonly pageSize: number | undefined;
  /** `nextPageToken` of the previous page; empty for the first page. */
  readonly pageToken: string;
}

/**
 * A request to release a lock, whoever holds it. It names the grant that the caller has looked at
 * by `fencingToken`; if that is 0, by the view's `lockOwner` and `expiresAtMs`.
 */
export interface ForceReleaseRequest extends LockName {
  readonly fencingToken: number;
  /** Required if the token is 0, ignored otherwise. */
  readonly lockOwner: string;
  /** {@link LockInfo.expiresAtMs}. Required if the token is 0, ignored otherwise. */
  readonly expiresAtMs: number | undefined;
  /** The reason for the log: 1 to 256 characters, no control characters. */
  readonly reason: string;
}

/** A lease that was granted or renewed. */
export interface Lease {
  readonly lockOwner: string;
  /** 0 if the lock was taken without a token and then renewed. */
  readonly fencingToken: number;
  /**
   * How long the lease is valid, counted from the arrival of the call, in whole milliseconds. Never
   * too long.
   */
  readonly validMs: number;
}

/** A held lock at one moment. */
export interface LockInfo {
  readonly resourceId: string;
  readonly lockOwner: string;
  /**
   * 0 if the lock was taken without a token: by daprd, by an older version of Holdfast, or by hand.
   */
  readonly fencingToken: number;
  /** Remaining time of the lease, in milliseconds. Undefined if it does not expire. */
  readonly ttlMs: number | undefined;
  /**
   * The end of the lease on the store's clock, in milliseconds since 1970. 0 if it does not expire.
   */
  readonly expiresAtMs: number;
  /** The number of waiters. */
  readonly waiters: number;
}

/**
 * The answer to an acquire. The holder is undefined if the lock has become free (a waiter that came
 * before may be about to take it), or if it could not be read.
 */
export type AcquireAnswer =
  | { readonly acquired: true; readonly lease: Lease }
  | { readonly acquired: false; readonly holder: LockInfo | undefined };

/** The answer to a renewal. */
export type RenewAnswer =
  | { readonly status: 'RENEWED'; readonly lease: Lease }
  | { readonly status: 'NOT_FOUND' | 'HELD_BY_OTHER' };

/** The answer to a release or a forced release. */
export interface ReleaseAnswer {
  readonly status: 'RELEASED' | 'NOT_FOUND' | 'HELD_BY_OTHER';
}

/** One page of held locks. It may be empty although there are more pages. */
export interface ListAnswer {
  readonly locks: readonly LockInfo[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/** Why a held lock may be lost at the announced end: nothing renews it at present. */
export type AtRiskReason =
  /** A renewal failed. If a later one succeeds, a `renewed` event follows. */
  | 'RENEWAL_FAILED'
  /** This sidecar stops, so there are no more renewals. */
  | 'SIDECAR_STOPPING'
  /** The component was removed, so there are no more renewals. */
  | 'STORE_REMOVED';

/** Why a hold lost its lock. */
export type LostReason =
  /** The lease ended: it was not renewed in time, or the store no longer has it. */
  | 'EXPIRED'
  /** Another grant has the lock. */
  | 'TAKEN_OVER'
  /** The lease ended while the store could not be reached. */
  | 'STORE_UNREACHABLE';

/**
 * The events of a hold: `queued` at most once, then `held`, then any number of `renewed` and
 * `atRisk`. `lost` and `refused` are final. Each validMs counts from the arrival of the call.
 */
export type HoldEvent =
  | { readonly type: 'queued'; readonly ahead: number }
  | { readonly type: 'held'; readonly lease: Lease }
  | { readonly type: 'renewed'; readonly validMs: number }
  | { readonly type: 'atRisk'; readonly validMs: number; readonly reason: AtRiskReason }
  | { readonly type: 'lost'; readonly reason: LostReason }
  | { readonly type: 'refused'; readonly holder: LockInfo | undefined };

/** Passes a hold's events and its end to its client. Implemented by each transport. */
export interface HoldSink {
  /**
   * Writes an event, or keeps it until it can be written. Must not throw. Has no effect after the
   * client has left.
   */
  emit(event: HoldEvent): void;
  /**
   * The call is over; called once, and nothing after it. Must not throw.
   *
   * @param error a LockError, if the lock could not be taken or the sidecar stops. Undefined after
   *   the last event, and when the client has ended the call
   */
  ended(error: Error | undefined): void;
  /**
   * False while the client does not read its events, or has not answered a PING. Then the lease is
   * not renewed, so that it expires and only the final event is still emitted.
   */
  readonly isWritable: boolean;
}

/** The caller of a native call. */
export interface NativeCaller extends Caller {
  /** When the call arrived, by `performance.now()`: before its body was read. */
  readonly arrivedAtMs: number;
}

/**
 * The abort reason if the client did not end the call but fell silent, and its connection was given
 * up. The lock of a hold is not released then, because its client may still rely on it; the lease
 * expires.
 */
export class SilentCallerError extends Error {
  override readonly name = 'SilentCallerError';
}

/**
 * The abort reason if the transport ends the call because the sidecar stops. A hold emits its last
 * event before `abort` returns, and its lock is not released.
 */
export class SidecarStoppingError extends Error {
  override readonly name = 'SidecarStoppingError';
}

/**
 * The native API: one implementation for all transports. Every error is a `LockError`. A held
 * lock is a value, not an error.
 */
export interface NativeLockService {
  /** Takes a lock. Waits up to `waitMs` for its turn. */
  acquire(request: AcquireRequest, caller: NativeCaller): Promise<AcquireAnswer>;
  /** Moves the end of a lease to now + ttlMs, if that is later. */
  renew(request: RenewRequest, caller: NativeCaller): Promise<RenewAnswer>;
  /** Releases a lock. */
  release(request: ReleaseRequest, caller: NativeCaller): Promise<ReleaseAnswer>;
  /**
   * Takes a lock and keeps it until the client ends the call (its signal aborts), which releases
   * the lock. The sink is told of its end, instead of a promise: functions that await one keep their
   * state for as long as the lock is held, which is more than the hold itself.
   */
  hold(request: HoldRequest, caller: NativeCaller, sink: HoldSink): void;
  /** The holder of a lock; undefined if it is free. */
  get(request: LockName, caller: NativeCaller): Promise<LockInfo | undefined>;
  /** One page of held locks and their holders. */
  list(request: ListRequest, caller: NativeCaller): Promise<ListAnswer>;
  /** Releases a lock, whoever holds it, if the grant is still the one that the request names. */
  forceRelease(request: ForceReleaseRequest, caller: NativeCaller): Promise<ReleaseAnswer>;
  /**
   * Ends the calls that wait, and withdraws their tickets. Ends the calls that hold without
   * releasing their locks; each client is told how long its lease still lasts. Later calls are
   * refused. Can be called again. Call it before the stores are closed.
   */
  stop(): void;
}
