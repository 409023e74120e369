import type { CancelSignal } from '../base/cancellation';
import type { TryLockCall, UnlockCall, UnlockOutcome } from './lock-store';

/*
 * What a store can do beside the LockStore contract. Each ability is a property of the store, absent
 * where its kind hasn't got it, and proved by a suite of its own in test/conformance.
 *
 * Clocks. Every moment here is one of the store's local clock, `performance.now()` in the process and
 * the injected clock in a simulation, in milliseconds; lengths are milliseconds. The only exception is
 * LockView.expiresAtMs, which stands for a grant and is compared, never counted with.
 *
 * Errors. Every method rejects with StoreError and nothing else, but for PageTokenError. Kind `unsupported`
 * says that this server or its user lacks what the ability needs (on Redis: TIME, the commands of a
 * queue); nothing was done then.
 *
 * Attempts. `acquire`, `ask`, `release` and `forceRelease` carry an attempt, as tryLock and unlock do: a lost
 * reply is asked for again under it, within the call, and a call that ends for good with an outcome that
 * is unknown, or with a success that nobody hears, is undone: by LockStore.withdraw, an ask by
 * LockQueue.leave. `renew`, `refresh`, `get` and `list` are plain: repeating them does no harm, and there is
 * nothing to undo.
 */

/** What a granted lock comes with. */
export interface Grant {
  /**
   * The fencing token: from 1 to 2^53-1, higher than that of every earlier grant of the same lock. A
   * grant that is recognised when it is asked for again has the token that it had.
   */
  readonly fencingToken: number;
  /**
   * The local end of the lease: from here on the lock counts as lost. Counted from before the send that
   * was confirmed, less a margin for clocks that drift, so the store's own end is never earlier.
   */
  readonly validUntilMs: number;
}

/** The answer to an acquire. */
export type AcquireResult =
  { readonly acquired: false } | { readonly acquired: true; readonly grant: Grant };

/** A renewal. With a token it names one grant, without one whatever grant this owner name holds. */
export interface RenewCall {
  readonly key: string;
  readonly owner: string;
  readonly fencingToken?: number | undefined;
  /** The lease is to last that long from now on, where it doesn't last longer already. */
  readonly ttlMs: number;
}

/**
 * The answer to a renewal: `not_found` means that nobody holds the lock, `held_by_other` that another
 * grant does, which may be a later one of the same owner name where a token was given. Both are final
 * for that grant. The token is 0 where the lock was taken by what gives none (a daprd).
 */
export type RenewResult =
  | { readonly status: 'renewed'; readonly grant: Grant }
  | { readonly status: 'not_found' | 'held_by_other' };

/** A release of one grant, or without a token of whatever grant this owner name holds: then it is an unlock. */
export interface ReleaseCall extends UnlockCall {
  readonly fencingToken?: number | undefined;
}

/** `store.leases`: grants with a token and a known end, their renewal, and the release of exactly one. */
export interface LeaseAbility {
  /**
   * As `LockStore.tryLock`: never waits, not re-entrant, refused while a live ticket leads the
   * lock's queue. Undone by `LockStore.withdraw`.
   */
  acquire(call: TryLockCall, signal: CancelSignal): Promise<AcquireResult>;
  /**
   * Moves the end of a lease to now + ttlMs where that is later. Never revives a lapsed lease, never
   * shortens one, never touches a grant that it doesn't name. Plain: an outcome that is unknown may have
   * prolonged the lease that it names, or may until the store's time-out of one send is over.
   *
   * @param signal ends the wait; a third of what is left of the lease is a good limit
   */
  renew(call: RenewCall, signal: CancelSignal): Promise<RenewResult>;
  /** As `LockStore.unlock`, and wakes the head of the queue. Undone by `LockStore.withdraw`. */
  release(call: ReleaseCall, signal: CancelSignal): Promise<UnlockOutcome>;
}

/**
 * A waiter's ask. The ticket is the attempt: all asks of one waiter, and its leaving, hand on the same
 * attempt object, in which the store keeps the ticket's place. One ask at a time, none after `granted`
 * and none after `leave` was called.
 */
export interface AskCall extends TryLockCall {
  /** When the waiter gives up; the same for every ask of a ticket. Nothing is granted after it. */
  readonly waitUntilMs: number;
}

/** The answer to an ask. */
export type AskResult =
  | { readonly state: 'granted'; readonly grant: Grant }
  | {
      readonly state: 'queued';
      /** How many tickets stand before this one; 0 is the head. Some may be of waiters who died just now. */
      readonly ahead: number;
      /**
       * When the lock will be free if nobody renews or releases it before: worth an ask by the head.
       * Undefined where it doesn't end by itself. In the past, or now, where the lock is free and is the
       * head's to take.
       */
      readonly freeAtMs: number | undefined;
    };

/** Who is told what happens in the queues. Must not throw; may be called in the middle of another call. */
export interface QueueListener {
  /** The ticket of this attempt id leads now, or its lock was freed: ask. It may come for a ticket that has left. */
  woken(attemptId: string): void;
  /** Wake-ups may have been missed (the way to the store broke): refresh now rather than when it is due. */
  missed(): void;
  /**
   * Tickets of this store may have been dropped, as the process stood still or the store was away for longer
   * than they live, or lost its data: every waiter asks again, and gets its old place.
   */
  lapsed(): void;
}

/**
 * `store.queue`: waiting for a lock in turn, first come, first served, across sidecars.
 *
 * The store keeps the tickets; whoever waits keeps the time. While there are waiters: `refresh` with every
 * key that is waited for each {@link LockQueue.refreshEveryMs}, and an ask by
 * - a new waiter, once, to queue or to be granted at once;
 * - the ticket that {@link QueueListener.woken} names;
 * - the first waiter of a key that `refresh` names as free;
 * - a head, once its `freeAtMs` has come;
 * - every waiter upon {@link QueueListener.lapsed}.
 * Nobody is granted a lock but by an ask.
 *
 * A ticket lives as long as it is refreshed, 3 s without it, and not beyond its `waitUntilMs`. Then others pass
 * it; when all are gone nothing of a queue stays in the store.
 */
export interface LockQueue {
  /** How often a refresh is due, in milliseconds. */
  readonly refreshEveryMs: number;
  /**
   * Takes the lock where it is free and no other live ticket leads, and queues otherwise; asked again, it
   * keeps its place, also where the ticket had been dropped. An ask whose outcome is unknown is resolved by
   * another ask, or by leaving: a grant that it got is recognised.
   *
   * A grant that nobody hears (the waiter has gone, or its time is over, by the time of the answer) is undone by
   * {@link LockQueue.leave}.
   */
  ask(call: AskCall, signal: CancelSignal): Promise<AskResult>;
  /**
   * Keeps the tickets of this store's waiters alive on these keys, and looks at the locks. Creates nothing. Sent in
   * parts where there are many keys; where a part fails, it rejects, and the next refresh covers it.
   *
   * @returns the keys whose lock is free, and so may be taken by the head
   */
  refresh(keys: readonly string[], signal: CancelSignal): Promise<readonly string[]>;
  /**
   * Undoes a ticket, and the grant that it may have got: what `LockStore.withdraw` is to a try. Wakes
   * who leads then. Due for every ticket that was not granted, and for a grant that nobody heard; never after a
   * byte of a grant's answer was handed over. Resolves once that is certain, by the store's answer or
   * by the passing of time; rejects with kind `closed` where the store is closed before.
   */
  leave(call: AskCall): Promise<void>;
  /** Registers the one listener; to be done before the first ask. The store listens for wake-ups from that ask on. */
  listen(listener: QueueListener): void;
}

/** A held lock, as it was at one moment: owner, token and end belong together. */
export interface LockView {
  readonly key: string;
  readonly owner: string;
  /** 0 where the lock was taken by what gives none: a daprd, a sidecar before tokens, a hand. */
  readonly fencingToken: number;
  /** What was left of the lease, in milliseconds; undefined where it doesn't end. */
  readonly leftMs: number | undefined;
  /**
   * The end of the lease on the store's own clock, in milliseconds since 1970; 0 where it doesn't end. With the
   * owner it names a grant that has no token.
   */
  readonly expiresAtMs: number;
  /** How many tickets are in its queue; those of waiters who died are among them until they lead. */
  readonly waiters: number;
}

/** What to list. */
export interface ListCall {
  /** Keys that begin so, taken literally. */
  readonly keyPrefix: string;
  /** The most locks of a page, at least 1. */
  readonly pageSize: number;
  /** From the page before; undefined for the first. */
  readonly pageToken?: string | undefined;
}

/** A part of the locks that are held. */
export interface LockPage {
  /**
   * In no order. May be fewer than the page may hold, or none, though there are more: a page is bounded in time.
   * A lock that was held all the while is on some page; one may come twice.
   */
  readonly locks: readonly LockView[];
  /** Undefined on the last page. */
  readonly nextPageToken: string | undefined;
}

/** Names the grant that was looked at: by its token, or where that is 0 by owner and end. */
export interface ForceReleaseCall extends Pick<UnlockCall, 'key' | 'attempt'> {
  readonly grant:
    | { readonly fencingToken: number }
    | { readonly fencingToken: 0; readonly owner: string; readonly expiresAtMs: number };
}

/** `store.views`: who holds what. */
export interface LockViews {
  /** One lock; undefined where it is free. */
  get(key: string, signal: CancelSignal): Promise<LockView | undefined>;
  /**
   * Held locks, a page at a time; those that a daprd took are among them.
   *
   * @throws {PageTokenError} where the page token is none, or one of another store, server or prefix
   */
  list(call: ListCall, signal: CancelSignal): Promise<LockPage>;
  /**
   * Releases a lock whoever holds it, and wakes the head of its queue. `held_by_other` where the grant is another
   * than the one that is named. Undone by `LockStore.withdraw`.
   */
  forceRelease(call: ForceReleaseCall, signal: CancelSignal): Promise<UnlockOutcome>;
}

/** A page token that this store did not give out for that prefix, or gave out before its server was restarted. */
export class PageTokenError extends Error {
  override readonly name = 'PageTokenError';

  constructor() {
    super('the page token is not one of this store and prefix, or its server was restarted since');
  }
}

/** The abilities of a store, each absent where its kind hasn't got it. */
export interface StoreAbilities {
  readonly leases?: LeaseAbility;
  readonly queue?: LockQueue;
  readonly views?: LockViews;
}
