import type { CancelSignal } from '../../base/cancellation';
import { Admission } from '../admission';
import type { LeaseClock } from '../lease-clock';
import type { WaitOutcome } from '../lock-observer';
import { SidecarStoppingError } from '../native-lock-service';
import type { LockStore } from '../lock-store';
import type { StoreCatalog } from '../store-catalog';
import type { LockQueue } from '../store-abilities';
import { FirstAsks } from './first-asks';
import { StoreWaiters } from './store-waiters';
import {
  type EndReason,
  Waiter,
  WaitEndedError,
  type WaitRequest,
  type WaitResult,
} from './waiter';

/** Default limit of concurrent waits. */
export const DEFAULT_MAX_WAITS = 10_000;

/** The dependencies and limits of the waiting room. */
export interface WaitingRoomOptions {
  readonly clock: LeaseClock;
  readonly stores: StoreCatalog;
  /** Default: {@link DEFAULT_MAX_WAITS}. */
  readonly maxWaits?: number | undefined;
}

/**
 * The calls that wait for locks, in turn. They don't count against the limit of unary calls:
 * otherwise they could block the unlock that they wait for.
 */
export class WaitingRoom {
  readonly admission: Admission;
  readonly #clock: LeaseClock;
  readonly #stores: StoreCatalog;
  /** A queue accepts one listener during the life of its store. */
  readonly #waitersOf = new WeakMap<LockQueue, StoreWaiters>();
  readonly #firstAsks = new WeakMap<LockStore, FirstAsks>();
  /** The stores that have waiters. */
  readonly #busy = new Set<StoreWaiters>();
  /** One for all waiters. */
  readonly #onAbort = (waiter: Waiter): void => {
    const { request } = waiter;
    this.#toWaiters(request).end(waiter, toEndReason(request.signal));
  };

  constructor(options: WaitingRoomOptions) {
    this.#clock = options.clock;
    this.#stores = options.stores;
    this.admission = new Admission(options.maxWaits ?? DEFAULT_MAX_WAITS);
  }

  /**
   * Waits for a lock. Enter {@link WaitingRoom.admission} first. Never rejects. The end of the
   * grant is on the lease clock.
   *
   * @param deadlineMs on the lease clock
   */
  wait(request: WaitRequest, deadlineMs: number): Promise<WaitResult> {
    return new Promise((settle) => {
      const startedAtMs = this.#clock.now();
      const options = { startedAtMs, deadlineMs, settle, onAbort: this.#onAbort };
      this.#enter(new Waiter(request, options));
    });
  }

  /** The turns at a store of its waits and its holds, which share one limit. */
  firstAsksOf(store: LockStore): FirstAsks {
    const known = this.#firstAsks.get(store);
    if (known !== undefined) return known;
    const asks = new FirstAsks(this.#clock);
    this.#firstAsks.set(store, asks);
    return asks;
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
    for (const observer of request.observers) observer.waitBegan?.(request.storeName);
    waiters.enter(waiter);
  }

  #toWaiters({ queue, store }: WaitRequest): StoreWaiters {
    const known = this.#waitersOf.get(queue);
    if (known !== undefined) return known;
    const times = { clock: this.#clock, firstAsks: this.firstAsksOf(store) };
    const waiters: StoreWaiters = new StoreWaiters(queue, times, {
      woken: ({ request }) => {
        for (const observer of request.observers) observer.woken?.(request.storeName);
      },
      queued: ({ request }, ahead) => {
        for (const observer of request.observers) observer.queued?.(request.storeName, ahead);
        request.onQueued?.(ahead);
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
    for (const observer of request.observers) observer.waitEnded?.(report);
  }
}

/** The reason why an aborted signal ends a wait. */
function toEndReason({ reason }: CancelSignal): EndReason {
  return reason instanceof SidecarStoppingError ? 'stopping' : 'caller-gone';
}

function toOutcome(result: WaitResult): WaitOutcome {
  if (result.state !== 'failed') return result.state;
  return result.error instanceof WaitEndedError ? 'ended' : 'failed';
}
