import type { Admission } from '../admission';
import type { HoldStoppedError, HoldSubject } from '../holds/hold';
import type { HoldOutcome, LockOutcome } from '../lock-observer';
import { lockErrors } from '../lock-errors';
import type { HoldRequest } from '../native-lock-service';
import type { ObservedLockCall } from '../observed-lock-call';
import type { Holder } from './holding';
import type { Resolved } from './native-requests';
import type { StoreCalls } from './store-calls';
import { leasesOf } from './taking';

const OUTCOMES = {
  released: 'unlocked',
  lost: 'lost',
  abandoned: 'abandoned',
} as const satisfies Record<HoldOutcome, LockOutcome>;

/** A call that holds a lock: all that is kept of it while it does. */
export class HoldCall implements HoldSubject {
  readonly storeName: HoldSubject['storeName'];
  readonly resourceId: HoldSubject['resourceId'];
  readonly store: HoldSubject['store'];
  readonly leases: HoldSubject['leases'];
  readonly policy: HoldSubject['policy'];
  readonly key: HoldSubject['key'];
  readonly owner: HoldSubject['owner'];
  readonly ttlMs: HoldSubject['ttlMs'];
  readonly arrivedAtMs: HoldSubject['arrivedAtMs'];
  readonly signal: HoldSubject['signal'];
  readonly sink: HoldSubject['sink'];
  readonly observers: HoldSubject['observers'];
  readonly #observed: ObservedLockCall;
  readonly #admission: Admission;

  constructor(
    { entry, key }: Resolved,
    { resourceId, lockOwner, ttlMs }: HoldRequest,
    options: Holder & { readonly calls: StoreCalls; readonly admission: Admission },
  ) {
    const { caller, sink, observers, observed, calls, admission } = options;
    this.storeName = entry.name;
    this.resourceId = resourceId;
    this.store = entry.store;
    this.leases = leasesOf(entry);
    this.policy = calls.policyFor(entry.name);
    this.key = key;
    this.owner = lockOwner;
    this.ttlMs = ttlMs;
    this.arrivedAtMs = caller.arrivedAtMs;
    this.signal = caller.signal;
    this.sink = sink;
    this.observers = observers;
    this.#observed = observed;
    this.#admission = admission;
  }

  /** See {@link HoldSubject}. */
  over(outcome: HoldOutcome, error: HoldStoppedError | undefined): void {
    this.#admission.leave();
    if (error === undefined) {
      this.#observed.ended(OUTCOMES[outcome]);
      this.sink.ended(undefined);
    } else this.sink.ended(this.#observed.failed(toStopping()));
  }
}

function toStopping(): Error {
  return lockErrors.stopping(
    'the lease is no longer renewed; the last event says how long it lasts',
  );
}
