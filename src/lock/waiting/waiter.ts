import type { CancelSignal } from '../../base/cancellation';
import type { Timed } from '../../base/deadline-queue';
import type { CallPolicy } from '../call-policy';
import type { StoreError } from '../lock-store';
import type { LockObserver } from '../lock-observer';
import { type LockStore } from '../lock-store';
import type { AskCall, Grant, LockQueue } from '../store-abilities';

/** A request to wait, and the policy for each of its asks. */
export interface WaitRequest {
  readonly storeName: string;
  readonly store: LockStore;
  readonly queue: LockQueue;
  readonly policy: CallPolicy;
  readonly call: AskCall;
  /** Aborts when the caller leaves. */
  readonly signal: CancelSignal;
  readonly observers: readonly LockObserver[];
  /** Called once, when the ticket is in the queue. Must not throw. */
  readonly onQueued?: ((ahead: number) => void) | undefined;
}

/** Why a wait was ended early. */
export type EndReason = 'caller-gone' | 'stopping' | 'store-removed';

/** A wait was ended early. Its ticket is withdrawn. */
export class WaitEndedError extends Error {
  override readonly name = 'WaitEndedError';

  /** @param isUnsure true if an ask may have been granted, and is now being withdrawn */
  constructor(
    readonly reason: EndReason,
    readonly isUnsure: boolean,
  ) {
    super(`the wait was ended: ${reason}`);
  }
}

/**
 * The result of a wait: a grant, the end of its time, or a failure. A failure is a {@link
 * WaitEndedError} or the error of the last ask.
 */
export type WaitResult =
  | { readonly state: 'granted'; readonly grant: Grant }
  | { readonly state: 'over' }
  | { readonly state: 'failed'; readonly error: unknown };

/**
 * - `waiting`: it waits for its turn
 * - `settling`: its time is over, and the last ask is not answered yet
 * - `ended`: its caller was answered; an ask may still be in progress, after which the ticket is
 *   withdrawn
 */
type WaiterState = 'waiting' | 'settling' | 'ended';

/**
 * A waiter. Only {@link StoreWaiters} changes it. It is a plain object, because there may be ten
 * thousand.
 */
export class Waiter implements Timed {
  dueAtMs = 0;
  place = -1;
  state: WaiterState = 'waiting';
  /** The ask in progress, to be aborted. Undefined between asks. */
  ask: { abort(): void } | undefined;
  /** True while an ask is with the store. */
  isSent = false;
  /** True once the store was asked. */
  isAsked = false;
  /** True if something happened during the ask that makes another one worthwhile. */
  asksAgain = false;
  /** When the next ask is due if nothing happens before. */
  askAtMs = Infinity;
  /** True if the store may have a ticket, which must be withdrawn in the end. */
  mayStand = false;
  /** True if an ask may have been granted without an answer, and none was answered since. */
  isUnsure = false;
  /** True if an ask may have been granted without an answer, whether or not one was answered since. */
  mayHaveActed = false;
  /** The failure of the latest try. Undefined if it was answered, or none was made. */
  tryError: unknown;
  isQueued = false;
  /** The failure of the latest ask. Undefined if it was answered. */
  failure: StoreError | undefined;
  readonly request: WaitRequest;
  readonly startedAtMs: number;
  /** On the lease clock. */
  readonly deadlineMs: number;
  readonly settle: (result: WaitResult) => void;
  readonly onAbort: () => void;

  constructor(
    request: WaitRequest,
    options: Pick<Waiter, 'startedAtMs' | 'deadlineMs' | 'settle'> & {
      readonly onAbort: (waiter: Waiter) => void;
    },
  ) {
    this.request = request;
    this.startedAtMs = options.startedAtMs;
    this.deadlineMs = options.deadlineMs;
    this.settle = options.settle;
    this.onAbort = () => {
      options.onAbort(this);
    };
  }
}
