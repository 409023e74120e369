import type { Admission } from '../admission';
import type { HoldRoom } from '../holds/hold-room';
import { lockErrors } from '../lock-errors';
import type { LockObserver, LockOutcome } from '../lock-observer';
import {
  type HoldRequest,
  type HoldSink,
  type NativeCaller,
  SidecarStoppingError,
} from '../native-lock-service';
import type { ObservedLockCall } from '../observed-lock-call';
import { HoldCall } from './hold-call';
import type { Resolved } from './native-requests';
import type { PlainCalls } from './plain-calls';
import type { StoreCalls } from './store-calls';
import { toLockError } from './store-failures';
import { type Taken, type Taking, withdrawn } from './taking';

/** The caller of a hold, and who is told of it. */
export interface Holder {
  readonly caller: NativeCaller;
  readonly sink: HoldSink;
  readonly observers: readonly LockObserver[];
  readonly observed: ObservedLockCall;
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

  /**
   * Begins a call. Its sink and its observers are told of its end.
   *
   * @param resolve checks the request. What it throws ends the call
   */
  begin(resolve: () => Resolved, request: HoldRequest, holder: Holder): void {
    const { sink, observed } = holder;
    this.#hold(resolve, request, holder).then(
      (outcome) => {
        if (outcome === undefined) return;
        observed.ended(outcome);
        sink.ended(undefined);
      },
      (error: unknown) => {
        sink.ended(observed.failed(toLockError(error, request.storeName, 'acquire lock')));
      },
    );
  }

  /**
   * Takes a lock. Resolves with undefined once it is kept: then its {@link HoldCall} tells of the end.
   * Resolves with `refused` if another has the lock. Rejects with a LockError, or with the error of the
   * store.
   */
  async #hold(
    resolve: () => Resolved,
    request: HoldRequest,
    holder: Holder,
  ): Promise<LockOutcome | undefined> {
    const { calls, room } = this.#options;
    const resolved = resolve();
    const { admission } = room;
    await admit(admission);
    try {
      const taken = await this.#take(resolved, request, holder);
      if (taken !== undefined) {
        assertHeard(taken, holder);
        room.keep(new HoldCall(resolved, request, { ...holder, calls, admission }), taken.grant);
        return undefined;
      }
      await this.#refuse(resolved, holder);
    } catch (error) {
      admission.leave();
      throw error;
    }
    admission.leave();
    return 'refused';
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

  async #refuse(resolved: Resolved, { caller, sink }: Holder): Promise<void> {
    const holder = await this.#options.plain.look(resolved, caller.signal);
    sink.emit({ type: 'refused', holder });
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
