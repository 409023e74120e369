import type { CancelSignal } from '../../base/cancellation';
import { createAttempt } from '../attempt';
import type { LeaseClock } from '../lease-clock';
import { lockErrors } from '../lock-errors';
import type { LockObserver } from '../lock-observer';
import { type LockStore, StoreError, type TryLockCall } from '../lock-store';
import type { Grant, LeaseAbility, LockQueue } from '../store-abilities';
import type { CatalogEntry } from '../store-catalog';
import { WaitEndedError, type WaitResult } from '../waiting/waiter';
import type { WaitingRoom } from '../waiting/waiting-room';
import type { StoreCalls } from './store-calls';

/** A request for a lock. */
export interface TakeRequest {
  readonly entry: CatalogEntry;
  readonly key: string;
  readonly owner: string;
  readonly ttlMs: number;
  readonly waitMs: number;
  /** On the monotonic clock. */
  readonly arrivedAtMs: number;
  readonly signal: CancelSignal;
  readonly observers: readonly LockObserver[];
  /** False if the call is already counted as a hold; see StoreCall. */
  readonly isAdmitted?: boolean;
  /** Called once if the request has to wait. */
  readonly onQueued?: (ahead: number) => void;
}

/** A lock that was taken. */
export interface Taken {
  /** The end of the grant is on the lease clock. */
  readonly grant: Grant;
  /** Undoes a grant that did not reach its caller. */
  undo(): void;
}

/** The lease ability of a store. Throws a LockError if the store has none. */
export function leasesOf({ name, store }: CatalogEntry): LeaseAbility {
  if (store.leases !== undefined) return store.leases;
  throw lockErrors.unsupported(name, 'its type has no fencing tokens');
}

/** Undoes a grant if its caller leaves before the answer has reached the socket. */
export function undoIfUnheard(taken: Taken, signal: CancelSignal): void {
  const undo = (): void => {
    taken.undo();
  };
  if (signal.aborted) undo();
  else signal.addEventListener('abort', undo);
}

/** Takes locks, at once or in turn. */
export class Taking {
  readonly #clock: LeaseClock;
  readonly #calls: StoreCalls;
  readonly #room: WaitingRoom;

  constructor(options: {
    readonly clock: LeaseClock;
    readonly calls: StoreCalls;
    readonly room: WaitingRoom;
  }) {
    this.#clock = options.clock;
    this.#calls = options.calls;
    this.#room = options.room;
  }

  /**
   * Undefined if the lock is held, or another waiter comes first. Rejects with a LockError, or with
   * the error of the store.
   */
  take(request: TakeRequest): Promise<Taken | undefined> {
    return request.waitMs === 0 ? this.#takeNow(request) : this.#takeInTurn(request);
  }

  async #takeNow(request: TakeRequest): Promise<Taken | undefined> {
    const { entry, signal, isAdmitted = true } = request;
    const leases = leasesOf(entry);
    const call = toTryCall(request);
    const undo = (): Promise<void> => entry.store.withdraw(call);
    const asleepMs = this.#clock.asleepMs();
    const run = async (trySignal: CancelSignal): Promise<Grant | undefined> => {
      const result = await leases.acquire(call, trySignal);
      if (!result.acquired) return undefined;
      const { fencingToken, validUntilMs } = result.grant;
      const grant = { fencingToken, validUntilMs: validUntilMs + asleepMs };
      assertHeard(trySignal);
      return this.#assertLasting(grant);
    };
    // Calls that count as unary are limited already.
    const firstAsks = isAdmitted ? undefined : this.#room.firstAsksOf(entry.store);
    const grant = await this.#calls.run({ entry, run, signal, undo, firstAsks });
    return grant === undefined ? undefined : toTaken(grant, undo);
  }

  async #takeInTurn(request: TakeRequest): Promise<Taken | undefined> {
    const { entry, waitMs, arrivedAtMs, signal, observers, onQueued } = request;
    const queue = queueOf(entry);
    const deadlineMs = this.#clock.fromMonotonic(arrivedAtMs) + waitMs;
    await this.#admit();
    const waitUntilMs = this.#clock.toMonotonic(deadlineMs);
    const call = { ...toTryCall(request), waitUntilMs };
    const { name: storeName, store } = entry;
    const policy = this.#calls.policyFor(storeName);
    const wait = { storeName, store, queue, policy, call, signal, observers, onQueued };
    const grant = toGrant(await this.#room.wait(wait, deadlineMs), storeName);
    return grant === undefined ? undefined : toTaken(grant, () => queue.leave(call));
  }

  async #admit(): Promise<void> {
    const { admission } = this.#room;
    if (admission.enter()) return;
    await admission.nextTurn();
    throw lockErrors.tooManyWaits(admission.bound);
  }

  #assertLasting(grant: Grant): Grant {
    if (grant.validUntilMs > this.#clock.now()) return grant;
    throw unheard('the lease expired before its grant was answered');
  }
}

function queueOf({ name, store }: CatalogEntry): LockQueue {
  if (store.queue !== undefined) return store.queue;
  throw lockErrors.unsupported(name, 'its type has no queues; use waitMs 0');
}

function toTryCall({ key, owner, ttlMs }: TakeRequest): TryLockCall {
  return { key, owner, ttlMs, attempt: createAttempt() };
}

function toTaken(grant: Grant, undo: () => ReturnType<LockStore['withdraw']>): Taken {
  return {
    grant,
    undo: () => {
      // The store logs what it could not withdraw before it was closed.
      undo().catch(() => undefined);
    },
  };
}

function toGrant(result: WaitResult, storeName: string): Grant | undefined {
  if (result.state === 'granted') return result.grant;
  if (result.state === 'over') return undefined;
  throw result.error instanceof WaitEndedError ? toEndError(result.error, storeName) : result.error;
}

function toEndError({ reason, isUnsure }: WaitEndedError, storeName: string): Error {
  if (isUnsure && reason !== 'caller-gone') return withdrawn(UNSURE_ENDS[reason]);
  if (reason === 'stopping') return lockErrors.stopping('this call holds nothing');
  if (reason === 'store-removed') return lockErrors.storeRemoved(storeName);
  return lockErrors.callerGone();
}

const UNSURE_ENDS = {
  stopping: 'the sidecar is stopping',
  'store-removed': 'the lock store was removed while the call waited',
} as const;

/** The error of a call that ends while the store may have granted it the lock, which is undone. */
export function withdrawn(reason: string): StoreError {
  const message = `${reason}; the call is withdrawn, the outcome is unknown`;
  return new StoreError(message, { kind: 'closed', outcome: 'unknown', reason });
}

function assertHeard(signal: CancelSignal): void {
  if (signal.aborted) throw unheard('the caller has gone');
}

function unheard(reason: string): StoreError {
  return new StoreError(reason, { kind: 'deadline', outcome: 'unknown', reason });
}
