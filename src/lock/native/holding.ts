import type { Admission } from '../admission';
import { HoldStoppedError } from '../holds/hold';
import type { HoldRoom } from '../holds/hold-room';
import { lockErrors } from '../lock-errors';
import type { HoldOutcome, LockOutcome } from '../lock-observer';
import {
  type HoldRequest,
  type HoldSink,
  type NativeCaller,
  SidecarStoppingError,
} from '../native-lock-service';
import type { Resolved } from './native-requests';
import type { PlainCalls } from './plain-calls';
import type { StoreCalls } from './store-calls';
import { leasesOf, type Taken, type Taking } from './taking';

const OUTCOMES = {
  released: 'unlocked',
  lost: 'lost',
  abandoned: 'abandoned',
} as const satisfies Record<HoldOutcome, LockOutcome>;

/** A request to hold, its owner named and its arrival on the clock of leases. */
export interface NamedHoldRequest extends HoldRequest {
  readonly arrivedAtMs: number;
}

/** Who holds, and the way to them. */
export interface Holder {
  readonly caller: NativeCaller;
  readonly sink: HoldSink;
}

/** What calls that hold are made of. */
export interface HoldingOptions {
  readonly calls: StoreCalls;
  readonly plain: PlainCalls;
  readonly taking: Taking;
  readonly room: HoldRoom;
}

/** Holds: takes a lock, in turn where it has to, and keeps it for as long as the call lives. */
export class Holding {
  readonly #options: HoldingOptions;

  constructor(options: HoldingOptions) {
    this.#options = options;
  }

  /** Resolves when the call is over. Rejects with a LockError or what the store failed with. */
  async hold(resolved: Resolved, request: NamedHoldRequest, holder: Holder): Promise<LockOutcome> {
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
    { lockOwner: owner, ttlMs, waitMs, arrivedAtMs }: NamedHoldRequest,
    { caller: { signal }, sink }: Holder,
  ): Promise<Taken | undefined> {
    const onQueued = (ahead: number): void => {
      sink.emit({ type: 'queued', ahead });
    };
    const call = { arrivedAtMs, signal, onQueued, isAdmitted: false };
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
    { resourceId, lockOwner: owner, ttlMs, arrivedAtMs }: NamedHoldRequest,
    { caller: { signal }, sink, taken }: Holder & { readonly taken: Taken },
  ): Promise<HoldOutcome> {
    const { name: storeName, store } = entry;
    const subject = {
      ...{ storeName, resourceId, store, leases: leasesOf(entry), key, owner, ttlMs, arrivedAtMs },
      policy: this.#options.calls.policyFor(storeName),
      signal,
      sink,
    };
    return this.#options.room.keep(subject, taken.grant);
  }
}

async function admit(admission: Admission): Promise<void> {
  if (admission.enter()) return;
  await admission.nextTurn();
  throw lockErrors.tooManyHolds(admission.bound);
}

/** A lock that was granted while its caller left was never told of: it is undone, as no release could be of use. */
function assertHeard(taken: Taken, { caller: { signal } }: Holder): void {
  if (!signal.aborted) return;
  taken.undo();
  if (signal.reason instanceof SidecarStoppingError) {
    throw lockErrors.stopping('this call holds nothing');
  }
  throw lockErrors.callerGone();
}

function toStopping(): Error {
  return lockErrors.stopping(
    'nothing is renewed any more; the last event says how long the lease lasts',
  );
}
