import type { Admission } from '../admission';
import { HoldStoppedError } from '../holds/hold';
import type { HoldRoom } from '../holds/hold-room';
import { lockErrors } from '../lock-errors';
import type { HoldOutcome, LockObserver, LockOutcome } from '../lock-observer';
import {
  type HoldRequest,
  type HoldSink,
  type NativeCaller,
  SidecarStoppingError,
} from '../native-lock-service';
import type { Resolved } from './native-requests';
import type { PlainCalls } from './plain-calls';
import type { StoreCalls } from './store-calls';
import { leasesOf, type Taken, type Taking, withdrawn } from './taking';

const OUTCOMES = {
  released: 'unlocked',
  lost: 'lost',
  abandoned: 'abandoned',
} as const satisfies Record<HoldOutcome, LockOutcome>;

/** The caller of a hold, and where its events go. */
export interface Holder {
  readonly caller: NativeCaller;
  readonly sink: HoldSink;
  readonly observers: readonly LockObserver[];
}

/** The dependencies of {@link Holding}. */
export interface HoldingOptions {
  readonly calls: StoreCalls;
  readonly plain: PlainCalls;
  readonly taking: Taking;
  readonly room: HoldRoom;
}

/**
 * Runs calls that hold: takes a lock, waiting in turn if necessary, and keeps it while the call
 * lives.
 */
export class Holding {
  readonly #options: HoldingOptions;

  constructor(options: HoldingOptions) {
    this.#options = options;
  }

  /** Resolves when the call is over. Rejects with a LockError, or with the error of the store. */
  async hold(resolved: Resolved, request: HoldRequest, holder: Holder): Promise<LockOutcome> {
    const { admission } = this.#options.room;
    await admit(admission);
    try {
      const taken = await this.#take(resolved, request, holder);
      if (taken === undefined) return await this.#refuse(resolved, holder);
      assertHeard(taken, holder);
      return OUTCOMES[await this.#keep(resolved, request, { ...holder, taken })];
    } catch (error) {
      throw error instanceof HoldStoppedError ? toStopping() : error;
    } finally {
      admission.leave();
    }
  }

  #take(
    resolved: Resolved,
    { lockOwner: owner, ttlMs, waitMs }: HoldRequest,
    { caller: { signal, arrivedAtMs }, sink, observers }: Holder,
  ): Promise<Taken | undefined> {
    const onQueued = (ahead: number): void => {
      sink.emit({ type: 'queued', ahead });
    };
    const call = { arrivedAtMs, signal, observers, onQueued, isAdmitted: false };
    const wanted = { ...resolved, owner, ttlMs, waitMs, ...call };
    return this.#options.taking.take(wanted);
  }

  async #refuse(resolved: Resolved, { caller, sink }: Holder): Promise<LockOutcome> {
    const holder = await this.#options.plain.look(resolved, caller.signal);
    sink.emit({ type: 'refused', holder });
    return 'refused';
  }

  #keep(
    { entry, key }: Resolved,
    { resourceId, lockOwner: owner, ttlMs }: HoldRequest,
    { caller: { signal, arrivedAtMs }, sink, observers, taken }: Holder & { readonly taken: Taken },
  ): Promise<HoldOutcome> {
    const { name: storeName, store } = entry;
    const subject = {
      ...{ storeName, resourceId, store, leases: leasesOf(entry), key, owner, ttlMs, arrivedAtMs },
      policy: this.#options.calls.policyFor(storeName),
      signal,
      sink,
      observers,
    };
    return this.#options.room.keep(subject, taken.grant);
  }
}

async function admit(admission: Admission): Promise<void> {
  if (admission.enter()) return;
  await admission.nextTurn();
  throw lockErrors.tooManyHolds(admission.bound);
}

/** Undoes a grant whose caller left before it was answered. Nobody else would release the lock. */
function assertHeard(taken: Taken, { caller: { signal } }: Holder): void {
  if (!signal.aborted) return;
  taken.undo();
  if (signal.reason instanceof SidecarStoppingError) {
    throw withdrawn('the sidecar is stopping');
  }
  throw lockErrors.callerGone();
}

function toStopping(): Error {
  return lockErrors.stopping(
    'the lease is no longer renewed; the last event says how long it lasts',
  );
}
