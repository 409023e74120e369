import type { LeaseClock } from '../lock/lease-clock';
import { whenOver } from '../base/race';
import { LockNotAcquiredError, LockUnreachableError } from './client-errors';
import { HeldLock } from './held-lock';
import type { Lock } from './lock';
import type { HoldEvent, LockCalls, TakeCall } from './lock-calls';

/** How a hold begins. */
export interface HoldStart {
  readonly calls: LockCalls;
  readonly clock: LeaseClock;
  readonly taken: TakeCall;
  /** How long the sidecar may take to answer, beside the time to wait for the lock, in milliseconds. */
  readonly timeoutMs: number;
  /** End the wait. */
  readonly signals: readonly AbortSignal[];
  /** Called once if the lock is held by another and the call waits in turn. */
  readonly onQueued: ((ahead: number) => void) | undefined;
  /** Called when a lock that was handed out is lost or released. */
  readonly onOver: (lock: Lock) => void;
}

/**
 * Begins a hold, and resolves once it has the lock.
 *
 * @throws {LockNotAcquiredError} if somebody else had it for as long as the call may wait
 * @throws {LockLostError} if the lease was over when its grant was read
 * @throws the reason of a signal, if it aborts first
 */
export function takeHold(start: HoldStart): Promise<Lock> {
  return new Promise((resolve, reject) => {
    for (const signal of start.signals) signal.throwIfAborted();
    new HoldTaking(start, { resolve, reject }).begin();
  });
}

/** The time between the call and its first decisive event. */
class HoldTaking {
  readonly #start: HoldStart;
  readonly #settle: {
    readonly resolve: (lock: Lock) => void;
    readonly reject: (error: unknown) => void;
  };
  readonly #sentAtMs: number;
  #lock: HeldLock | undefined;
  #isSettled = false;
  #endHold: () => void = () => undefined;
  #stopWaiting: () => void = () => undefined;

  constructor(
    start: HoldStart,
    settle: {
      readonly resolve: (lock: Lock) => void;
      readonly reject: (error: unknown) => void;
    },
  ) {
    this.#start = start;
    this.#settle = settle;
    this.#sentAtMs = start.clock.now();
  }

  begin(): void {
    const { calls, clock, taken, timeoutMs, signals } = this.#start;
    this.#endHold = calls.hold(taken, {
      event: (event) => {
        this.#onEvent(event);
      },
      ended: (error) => {
        if (this.#lock === undefined) this.#fail(error ?? noAnswer('the call ended'));
        else this.#lock.ended();
      },
    });
    const limit = { afterMs: taken.waitMs + timeoutMs, signals, clock };
    this.#stopWaiting = whenOver(limit, (aborted) => {
      if (aborted !== undefined) this.#fail(aborted.reason);
      else this.#fail(noAnswer(`no answer in ${limit.afterMs} ms`));
    });
    // Both may have ended it before there was something to stop.
    if (this.#isSettled) this.#stopWaiting();
  }

  #onEvent(event: HoldEvent): void {
    if (this.#lock !== undefined) this.#lock.event(event);
    else if (event.type === 'queued') this.#start.onQueued?.(event.ahead);
    else if (event.type === 'held') this.#take(event.lease);
    else if (event.type === 'refused') {
      this.#fail(new LockNotAcquiredError(this.#start.taken.resourceId, event.holder));
    }
  }

  #take(lease: {
    readonly lockOwner: string;
    readonly fencingToken: number;
    readonly validMs: number;
  }): void {
    if (this.#isSettled) return;
    const { calls, clock, taken } = this.#start;
    this.#finish();
    const lock = new HeldLock({
      ...{ calls, clock, sentAtMs: this.#sentAtMs },
      taken: { ...taken, lockOwner: lease.lockOwner },
      fencingToken: lease.fencingToken,
      validMs: lease.validMs,
      endHold: () => {
        this.#endHold();
        if (this.#lock !== undefined) this.#start.onOver(this.#lock);
      },
    });
    this.#lock = lock;
    if (lock.lost.aborted) this.#settle.reject(lock.lost.reason);
    else this.#settle.resolve(lock);
  }

  #fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#finish();
    this.#endHold();
    this.#settle.reject(error);
  }

  #finish(): void {
    this.#isSettled = true;
    this.#stopWaiting();
  }
}

function noAnswer(what: string): LockUnreachableError {
  return new LockUnreachableError(`${what} before the sidecar said whether the lock was acquired`);
}
