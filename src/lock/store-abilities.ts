import type { CancelSignal } from '../base/cancellation';
import { StoreError, type TryLockCall, type UnlockCall, type UnlockOutcome } from './lock-store';

/*
 * The optional abilities of a store, in addition to the LockStore contract. Each ability is a
 * property of the store, absent if its kind lacks it, and verified by its own suite in
 * test/conformance.
 *
 * Clocks: every time is in milliseconds on the store's local clock, which is `performance.now()` in
 * the process and the injected clock in a simulation. The only exception is LockView.expiresAtMs. It
 * identifies a grant; it is compared and never used in calculations.
 *
 * Errors: every method rejects only with StoreError, apart from PageTokenError. Kind `unsupported`
 * means that this server or its user lacks something that the ability needs (on Redis: TIME, or the
 * commands of a queue). Nothing was done then.
 *
 * Attempts: `acquire`, `ask`, `release` and `forceRelease` carry an attempt, as tryLock and unlock
 * do. Within the call, the store repeats them under that attempt after a lost reply. A call must be
 * undone if it ends for good with an unknown outcome, or with a success that did not reach its
 * caller: by LockQueue.leave for an ask, by LockStore.withdraw for the others. `renew`, `refresh`,
 * `get` and `list` have no attempt: repeating them does no harm, and there is nothing to undo.
 */

/** The fencing token and the local end of a granted lock. */
export interface Grant {
  /**
   * The fencing token: from 1 to 2^53-1, and higher than that of every earlier grant of the same
   * lock. If the grant of a repeated attempt is recognised, it keeps its token.
   */
  readonly fencingToken: number;
  /**
   * The local end of the lease. From this time on, the lock counts as lost. Counted from before the
   * send that was confirmed, less a margin for clock drift, so that the store's own end is never
   * earlier.
   */
  readonly validUntilMs: number;
}

/** The answer to an acquire. */
export type AcquireResult =
  { readonly acquired: false } | { readonly acquired: true; readonly grant: Grant };

/** A renewal. With a token it names one grant; without one, any grant of this owner. */
export interface RenewCall {
  readonly key: string;
  readonly owner: string;
  readonly fencingToken?: number | undefined;
  /** The remaining time that the lease shall have at least. */
  readonly ttlMs: number;
}

/**
 * The answer to a renewal. `not_found` means that nobody holds the lock. `held_by_other` means that
 * another grant does; if a token was given, it may be a later grant of the same owner. Both are
 * final for that grant. The token is 0 if the lock was taken without one (by daprd).
 */
export type RenewResult =
  | { readonly status: 'renewed'; readonly grant: Grant }
  | { readonly status: 'not_found' | 'held_by_other' };

/** A release of one grant. Without a token, of any grant of this owner, like an unlock. */
export interface ReleaseCall extends UnlockCall {
  readonly fencingToken?: number | undefined;
}

/**
 * `store.leases`: grants with a token and a known end, their renewal, and the release of exactly
 * one grant.
 */
export interface LeaseAbility {
  /**
   * Like `LockStore.tryLock`: never waits and is not re-entrant. Refused while a live ticket leads
   * the lock's queue. Undone by `LockStore.withdraw`.
   */
  acquire(call: TryLockCall, signal: CancelSignal): Promise<AcquireResult>;
  /**
   * Moves the end of a lease to now + ttlMs, if that is later. Never revives an expired lease,
   * never shortens one, and never touches a grant that it does not name. If the outcome is unknown,
   * the named lease may have been extended, or may still be until the store's time-out of one send
   * is over.
   *
   * @param signal ends the call; a third of the remaining lease is a good limit
   */
  renew(call: RenewCall, signal: CancelSignal): Promise<RenewResult>;
  /** Like `LockStore.unlock`, and wakes the head of the queue. Undone by `LockStore.withdraw`. */
  release(call: ReleaseCall, signal: CancelSignal): Promise<UnlockOutcome>;
}

/**
 * A waiter's ask. The attempt identifies the ticket: all asks of one waiter, and its `leave`, pass
 * the same attempt object, in which the store keeps the ticket's place. Only one ask at a time,
 * none after `granted`, and none after `leave` was called.
 */
export interface AskCall extends TryLockCall {
  /** When the waiter gives up; the same for all asks of a ticket. Nothing is granted after it. */
  readonly waitUntilMs: number;
}

/** The `reason` of {@link waitOver}. */
const WAIT_OVER = 'wait-over';

/** An ask was not sent, because its waiter's time is over. It says nothing about the store. */
export function waitOver(): StoreError {
  const options = { kind: 'deadline', outcome: 'not-applied', reason: WAIT_OVER } as const;
  return new StoreError('the wait is over', options);
}

/** True for an error of {@link waitOver}. */
export function isWaitOver(error: unknown): boolean {
  return (
    error instanceof StoreError && error.reason === WAIT_OVER && error.outcome === 'not-applied'
  );
}

/** The answer to an ask. */
export type AskResult =
  | { readonly state: 'granted'; readonly grant: Grant }
  | {
      readonly state: 'queued';
      /**
       * The number of tickets before this one; 0 for the head. Some may belong to waiters that have
       * died.
       */
      readonly ahead: number;
      /**
       * When the lock will be free unless it is renewed or released before. The head should ask
       * then. Undefined if the lock does not expire. In the past, or now, if the lock is free for
       * the head.
       */
      readonly freeAtMs: number | undefined;
    };

/** Receives the events of the queues. Must not throw. May be called during another call. */
export interface QueueListener {
  /**
   * The ticket of this attempt leads now, or its lock was released: ask. The ticket may have left
   * already.
   */
  woken(attemptId: string): void;
  /**
   * A release of this lock has just been sent, and an ask that is sent now is served after it: the
   * ticket that is known to lead may ask at once. Whether the release succeeds is not known yet. A
   * store need not call this; the wake-up follows anyway.
   */
  releasing?(key: string): void;
  /**
   * Wake-ups may have been missed, because the connection to the store was lost: refresh at once.
   */
  missed(): void;
  /**
   * Tickets of this store may have been dropped: the process was paused, or the store could not be
   * reached, for longer than they live; or the store lost its data. Every waiter must ask again,
   * and gets its old place.
   */
  lapsed(): void;
}

/**
 * `store.queue`: waiting for a lock in order of arrival, across sidecars.
 *
 * The store keeps the tickets; its user keeps the time. While there are waiters, the user calls
 * `refresh` with all keys that are waited for, once per {@link LockQueue.refreshEveryMs}, and asks
 * for
 * - a new waiter, once, to join the queue or to get the lock at once;
 * - the ticket that {@link QueueListener.woken} names;
 * - the head, as far as it is known, of a lock that {@link QueueListener.releasing} names;
 * - the first waiter of a key that `refresh` returns as free;
 * - a head at its `freeAtMs`;
 * - every waiter after {@link QueueListener.lapsed}.
 * A lock is granted only by an ask.
 *
 * A ticket lives while it is refreshed, 3 s without a refresh, and never longer than its
 * `waitUntilMs`. After that, others pass it. When all tickets are gone, nothing of the queue
 * remains in the store.
 */
export interface LockQueue {
  /** The interval between refreshes, in milliseconds. */
  readonly refreshEveryMs: number;
  /**
   * Takes the lock if it is free and no other live ticket leads; joins the queue otherwise. A
   * repeated ask keeps its place, even if the ticket was dropped. To resolve an unknown outcome,
   * ask again or leave: a grant that the ask got is recognised.
   *
   * If the answer is a grant but the waiter has left, or its time is over, undo it with {@link
   * LockQueue.leave}.
   */
  ask(call: AskCall, signal: CancelSignal): Promise<AskResult>;
  /**
   * Keeps the tickets of this store's waiters alive on these keys, and checks the locks. Creates
   * nothing. Many keys are sent in parts. If a part fails, it rejects, and the next refresh covers
   * it.
   *
   * @returns the keys whose lock is free, so that the head may take it
   */
  refresh(keys: readonly string[], signal: CancelSignal): Promise<readonly string[]>;
  /**
   * Undoes a ticket, and the grant that it may have got; what `LockStore.withdraw` is to a try.
   * Wakes the next ticket. Call it for every ticket that was not granted, and for a grant that did
   * not reach its caller, but never after a byte of the grant's answer was written. Resolves when
   * that is certain, from the store's answer or because enough time has passed. Rejects with kind
   * `closed` if the store is closed before.
   */
  leave(call: AskCall): Promise<void>;
  /**
   * Registers the only listener. Call it before the first ask. The store receives wake-ups from
   * that ask on.
   */
  listen(listener: QueueListener): void;
}

/** A held lock at one moment. Owner, token and end belong to the same grant. */
export interface LockView {
  readonly key: string;
  readonly owner: string;
  /**
   * 0 if the lock was taken without a token: by daprd, by an older version of Holdfast, or by hand.
   */
  readonly fencingToken: number;
  /** Remaining time of the lease, in milliseconds. Undefined if it does not expire. */
  readonly leftMs: number | undefined;
  /**
   * The end of the lease on the store's clock, in milliseconds since 1970. 0 if it does not expire.
   * Together with the owner, it identifies a grant without a token.
   */
  readonly expiresAtMs: number;
  /**
   * The number of tickets in its queue, including those of dead waiters until they reach the head.
   */
  readonly waiters: number;
}

/** A request for one page of held locks. */
export interface ListCall {
  /** The literal beginning of the keys. */
  readonly keyPrefix: string;
  /** The highest number of locks on a page, at least 1. */
  readonly pageSize: number;
  /** From the previous page; undefined for the first page. */
  readonly pageToken?: string | undefined;
}

/** One page of held locks. */
export interface LockPage {
  /**
   * In no particular order. There may be fewer locks than the page size, or none, although there
   * are more pages, because the time of a page is limited. A lock that is held all the time is on
   * some page; a lock may occur twice.
   */
  readonly locks: readonly LockView[];
  /** Undefined on the last page. */
  readonly nextPageToken: string | undefined;
}

/**
 * Names the grant that the caller has looked at: by its token or, if that is 0, by owner and end.
 */
export interface ForceReleaseCall extends Pick<UnlockCall, 'key' | 'attempt'> {
  readonly grant:
    | { readonly fencingToken: number }
    | { readonly fencingToken: 0; readonly owner: string; readonly expiresAtMs: number };
}

/** `store.views`: reads who holds which lock. */
export interface LockViews {
  /** One lock; undefined if it is free. */
  get(key: string, signal: CancelSignal): Promise<LockView | undefined>;
  /**
   * One page of held locks, including those that daprd took.
   *
   * @throws {PageTokenError} if the page token is invalid, or belongs to another store, server or
   *   prefix
   */
  list(call: ListCall, signal: CancelSignal): Promise<LockPage>;
  /**
   * Releases a lock, whoever holds it, and wakes the head of its queue. `held_by_other` means that
   * the grant is not the named one. Undone by `LockStore.withdraw`.
   */
  forceRelease(call: ForceReleaseCall, signal: CancelSignal): Promise<UnlockOutcome>;
}

/** The page token is not from this store and prefix, or is older than the server's last restart. */
export class PageTokenError extends Error {
  override readonly name = 'PageTokenError';

  /** By its name, as a StoreError: a part of its own in dist has a copy of this class. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'PageTokenError';
  }

  constructor() {
    super('it is not from this store and prefix, or the server was restarted since');
  }
}

/** The abilities of a store. Each is absent if its kind lacks it. */
export interface StoreAbilities {
  readonly leases?: LeaseAbility;
  readonly queue?: LockQueue;
  readonly views?: LockViews;
}
