import type { CancelSignal } from '../../base/cancellation';
import { Admission } from '../admission';
import type { LeaseClock } from '../lease-clock';
import type { LockObserver, WaitOutcome } from '../lock-observer';
import { SidecarStoppingError } from '../native-lock-service';
import type { StoreCatalog } from '../store-catalog';
import type { LockQueue } from '../store-abilities';
import { StoreWaiters } from './store-waiters';
import {
  type EndReason,
  Waiter,
  WaitEndedError,
  type WaitRequest,
  type WaitResult,
} from './waiter';

/** The most that wait at a time, where nothing else is said. */
export const DEFAULT_MAX_WAITS = 10_000;

/** What the waiting room stands on. */
export interface WaitingRoomOptions {
  readonly clock: LeaseClock;
  readonly stores: StoreCatalog;
  readonly observers: readonly LockObserver[];
  /** {@link DEFAULT_MAX_WAITS} where this is left out. */
  readonly maxWaits?: number | undefined;
}

/**
 * Where callers wait for locks, in turn. They take no slot of the unary calls: those who wait must not
 * keep out the unlock that they wait for.
 */
export class WaitingRoom {
  readonly admission: Admission;
  readonly #clock: LeaseClock;
  readonly #stores: StoreCatalog;
  readonly #observers: readonly LockObserver[];
  /** A queue hears one listener, for as long as its store lives. */
  readonly #waitersOf = new WeakMap<LockQueue, StoreWaiters>();
  /** Those of them at which somebody waits. */
  readonly #busy = new Set<StoreWaiters>();

  constructor(options: WaitingRoomOptions) {
    this.#clock = options.clock;
    this.#stores = options.stores;
    this.#observers = options.observers;
    this.admission = new Admission(options.maxWaits ?? DEFAULT_MAX_WAITS);
  }

  /**
   * Waits for a lock, after {@link WaitingRoom.admission} was entered for it. Never rejects. The grant's end is one of
   * the clock of leases.
   *
   * @param deadlineMs on the clock of leases
   */
  wait(request: WaitRequest, deadlineMs: number): Promise<WaitResult> {
    return new Promise((settle) => {
      const startedAtMs = this.#clock.now();
      const onAbort = (waiter: Waiter): void => {
        this.#toWaiters(request).end(waiter, toEndReason(request.signal));
      };
      this.#enter(new Waiter(request, { startedAtMs, deadlineMs, settle, onAbort }));
    });
  }

  /** Ends the waits at a store whose component was removed. */
  remove(storeName: string): void {
    this.#endWhere((waiter) => waiter.request.storeName === storeName, 'store-removed');
  }

  /** Ends all waits. */
  stop(): void {
    this.#endWhere(() => true, 'stopping');
  }

  #endWhere(condition: (waiter: Waiter) => boolean, reason: EndReason): void {
    for (const waiters of [...this.#busy]) waiters.endWhere(condition, reason);
  }

  #enter(waiter: Waiter): void {
    const { request } = waiter;
    const waiters = this.#toWaiters(request);
    this.#busy.add(waiters);
    this.#stores.enter(request.store);
    for (const observer of this.#observers) observer.waitBegan?.(request.storeName);
    waiters.enter(waiter);
  }

  #toWaiters({ queue, storeName }: WaitRequest): StoreWaiters {
    const known = this.#waitersOf.get(queue);
    if (known !== undefined) return known;
    const waiters: StoreWaiters = new StoreWaiters(queue, this.#clock, {
      woken: () => {
        for (const observer of this.#observers) observer.woken?.(storeName);
      },
      settled: (waiter, result) => {
        this.#settled(waiter, result);
      },
      done: (waiter) => {
        this.#stores.leave(waiter.request.store);
        if (waiters.size === 0) this.#busy.delete(waiters);
      },
    });
    this.#waitersOf.set(queue, waiters);
    return waiters;
  }

  #settled({ request, startedAtMs }: Waiter, result: WaitResult): void {
    this.admission.leave();
    const waitedMs = this.#clock.now() - startedAtMs;
    const report = { storeName: request.storeName, outcome: toOutcome(result), waitedMs };
    for (const observer of this.#observers) observer.waitEnded?.(report);
  }
}

/** How a signal that has aborted ends a wait. */
function toEndReason({ reason }: CancelSignal): EndReason {
  return reason instanceof SidecarStoppingError ? 'stopping' : 'caller-gone';
}

function toOutcome(result: WaitResult): WaitOutcome {
  if (result.state !== 'failed') return result.state;
  return result.error instanceof WaitEndedError ? 'ended' : 'failed';
}
