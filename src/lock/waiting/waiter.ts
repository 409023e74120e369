import type { CancelSignal } from '../../base/cancellation';
import type { Timed } from '../../base/deadline-queue';
import type { CallPolicy } from '../call-policy';
import type { StoreError } from '../lock-store';
import { type LockStore } from '../lock-store';
import type { AskCall, Grant, LockQueue } from '../store-abilities';

/** Who wants to wait, for what, and under which policy each ask is run. */
export interface WaitRequest {
  readonly storeName: string;
  readonly store: LockStore;
  readonly queue: LockQueue;
  readonly policy: CallPolicy;
  readonly call: AskCall;
  /** Aborts when the waiter has gone. */
  readonly signal: CancelSignal;
  /** Is told once, when the ticket stands in the queue. Must not throw. */
  readonly onQueued?: ((ahead: number) => void) | undefined;
}

/** Why a wait was ended though its time was not over. */
export type EndReason = 'caller-gone' | 'stopping' | 'store-removed';

/** A wait that was ended; its ticket is withdrawn. */
export class WaitEndedError extends Error {
  override readonly name = 'WaitEndedError';

  constructor(readonly reason: EndReason) {
    super(`the wait was ended: ${reason}`);
  }
}

/**
 * What became of a wait: a grant; nothing, as its time was over; or a failure, which is a {@link WaitEndedError}
 * or what the last ask failed with.
 */
export type WaitResult =
  | { readonly state: 'granted'; readonly grant: Grant }
  | { readonly state: 'over' }
  | { readonly state: 'failed'; readonly error: unknown };

/**
 * - `waiting`: in its turn
 * - `settling`: its time is over, and its last ask is not answered yet
 * - `ended`: its caller was answered; an ask may still be under way, after which the ticket is withdrawn
 */
type WaiterState = 'waiting' | 'settling' | 'ended';

/** One who waits. Only {@link StoreWaiters} changes it; a plain object, as there are ten thousand of them. */
export class Waiter implements Timed {
  dueAtMs = 0;
  place = -1;
  state: WaiterState = 'waiting';
  /** The ask that is under way, to be aborted; undefined between asks. */
  ask: { abort(): void } | undefined;
  /** Something happened during the ask that makes another worth it. */
  asksAgain = false;
  /** When the next ask is due of itself. */
  askAtMs = Infinity;
  /** The store may know of the ticket, and so it is withdrawn in the end. */
  mayStand = false;
  isQueued = false;
  /** What the latest ask failed with; undefined where it was answered. */
  failure: StoreError | undefined;
  readonly request: WaitRequest;
  readonly startedAtMs: number;
  /** On the clock of leases. */
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
