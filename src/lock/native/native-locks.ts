import { Admission } from '../admission';
import { type CallPolicy, plainPolicy } from '../call-policy';
import { HoldRoom } from '../holds/hold-room';
import { LeaseClock } from '../lease-clock';
import { lockErrors } from '../lock-errors';
import type { LockObserver, LockOperation, LockOutcome } from '../lock-observer';
import type { UnlockOutcome } from '../lock-store';
import {
  type AcquireAnswer,
  type AcquireRequest,
  type ForceReleaseRequest,
  type HoldRequest,
  type HoldSink,
  type Lease,
  type ListAnswer,
  type ListRequest,
  type LockInfo,
  type LockName,
  type NativeCaller,
  type NativeLockService,
  type ReleaseAnswer,
  type ReleaseRequest,
  type RenewAnswer,
  type RenewRequest,
} from '../native-lock-service';
import { ObservedLockCall } from '../observed-lock-call';
import type { Grant } from '../store-abilities';
import type { StoreCatalog } from '../store-catalog';
import { WaitingRoom } from '../waiting/waiting-room';
import { Holding } from './holding';
import { drawLockOwner } from './lock-owners';
import {
  resolveAcquire,
  type Resolved,
  resolveForceRelease,
  resolveGet,
  resolveList,
  resolveRelease,
  resolveRenew,
} from './native-requests';
import { PlainCalls } from './plain-calls';
import { StoreCalls } from './store-calls';
import { toLockError } from './store-failures';
import { Taking, undoIfUnheard } from './taking';

/** The dependencies and limits of the native API. */
export interface NativeLockServiceOptions {
  readonly stores: StoreCatalog;
  /** Part of generated owners. */
  readonly appId: string;
  /** Part of generated owners. */
  readonly hostName: string;
  readonly observers: readonly LockObserver[];
  /**
   * The policy for calls to a store, by its name, looked up for each call. Without it, calls run
   * plainly.
   */
  readonly policyOf?: (storeName: string) => CallPolicy;
  /**
   * Counts the calls that neither wait nor hold, together with those of Dapr's API. No limit if
   * missing.
   */
  readonly admission?: Admission | undefined;
  /** Limit of concurrent calls that wait; 10,000 if missing. */
  readonly maxWaits?: number | undefined;
  /**
   * Limit of concurrent calls that hold, including those that wait for their lock; 10,000 if
   * missing.
   */
  readonly maxHolds?: number | undefined;
  readonly clock?: LeaseClock;
  /** Returns random numbers from 0 to 1. */
  readonly random?: () => number;
}

/** Creates the {@link NativeLockService} for a catalogue of stores. */
export function createNativeLockService(options: NativeLockServiceOptions): NativeLockService {
  return new NativeLocks(options);
}

/** The task in an error text: `failed to TASK: REASON`. */
const TASKS = {
  acquire: 'acquire lock',
  hold: 'acquire lock',
  renew: 'renew lock',
  release: 'release lock',
  get: 'read lock',
  list: 'list locks',
  forceRelease: 'force-release lock',
} as const satisfies Partial<Record<LockOperation, string>>;

const STATUS_OF_OUTCOME = {
  unlocked: 'RELEASED',
  not_found: 'NOT_FOUND',
  held_by_other: 'HELD_BY_OTHER',
} as const satisfies Record<UnlockOutcome, ReleaseAnswer['status']>;

/** The answer for the caller, and the outcome for logs and metrics. */
type Ended<T> = readonly [answer: T, outcome: LockOutcome];

/** A call, as observers see it. */
interface Subject {
  readonly operation: keyof typeof TASKS;
  readonly request: { readonly storeName: string };
  readonly resourceId?: string;
  readonly lockOwner?: string;
  readonly ttlMs?: number;
}

class NativeLocks implements NativeLockService {
  readonly #identity: { readonly appId: string; readonly hostName: string };
  readonly #observers: readonly LockObserver[];
  readonly #stores: StoreCatalog;
  readonly #clock: LeaseClock;
  readonly #plain: PlainCalls;
  readonly #waits: WaitingRoom;
  readonly #holds: HoldRoom;
  readonly #taking: Taking;
  readonly #holding: Holding;
  #isStopping = false;

  constructor(options: NativeLockServiceOptions) {
    const { stores, clock = new LeaseClock(), policyOf = () => plainPolicy } = options;
    const { admission = new Admission(Infinity) } = options;
    const calls = new StoreCalls({ stores, policyOf, admission });
    this.#identity = { appId: options.appId, hostName: options.hostName };
    this.#observers = options.observers;
    this.#stores = stores;
    this.#clock = clock;
    this.#plain = new PlainCalls({ clock, calls });
    this.#waits = new WaitingRoom({ ...options, clock });
    this.#holds = new HoldRoom({ ...options, clock });
    this.#taking = new Taking({ clock, calls, room: this.#waits });
    this.#holding = new Holding({
      calls,
      plain: this.#plain,
      taking: this.#taking,
      room: this.#holds,
    });
    stores.whenRemoved((name) => {
      this.#waits.remove(name);
      this.#holds.remove(name);
    });
  }

  acquire(request: AcquireRequest, caller: NativeCaller): Promise<AcquireAnswer> {
    const lockOwner = this.#toOwner(request);
    const subject = { operation: 'acquire', request, ...request, lockOwner } as const;
    return this.#observe<AcquireAnswer>(subject, caller, async () => {
      const resolved = resolveAcquire(this.#stores, request);
      if (request.waitMs > 0) this.#assertRunning();
      const { ttlMs, waitMs } = request;
      const { signal, arrivedAtMs } = caller;
      const observers = this.#observersOf(caller);
      const wanted = {
        ...resolved,
        owner: lockOwner,
        ttlMs,
        waitMs,
        arrivedAtMs,
        signal,
        observers,
      };
      const taken = await this.#taking.take(wanted);
      if (taken === undefined) return [await this.#refuse(resolved, caller), 'refused'];
      undoIfUnheard(taken, signal);
      const lease = this.#toLease(lockOwner, taken.grant, caller);
      return [{ acquired: true, lease }, 'acquired'];
    });
  }

  renew(request: RenewRequest, caller: NativeCaller): Promise<RenewAnswer> {
    const subject = { operation: 'renew', request, ...request } as const;
    return this.#observe<RenewAnswer>(subject, caller, async () => {
      const resolved = resolveRenew(this.#stores, request);
      const result = await this.#plain.renew(resolved, request, caller.signal);
      if (result.status !== 'renewed') {
        return [{ status: STATUS_OF_OUTCOME[result.status] }, result.status];
      }
      const lease = this.#toLease(request.lockOwner, result.grant, caller);
      return [{ status: 'RENEWED', lease }, 'renewed'];
    });
  }

  release(request: ReleaseRequest, caller: NativeCaller): Promise<ReleaseAnswer> {
    const subject = { operation: 'release', request, ...request } as const;
    return this.#observe<ReleaseAnswer>(subject, caller, async () => {
      const resolved = resolveRelease(this.#stores, request);
      const outcome = await this.#plain.release(resolved, request, caller.signal);
      return [{ status: STATUS_OF_OUTCOME[outcome] }, outcome];
    });
  }

  hold(request: HoldRequest, caller: NativeCaller, sink: HoldSink): void {
    const lockOwner = this.#toOwner(request);
    const observers = this.#observersOf(caller);
    const observed = this.#begin({ operation: 'hold', request, ...request, lockOwner }, observers);
    const resolve = (): Resolved => {
      const resolved = resolveAcquire(this.#stores, request);
      this.#assertRunning();
      return resolved;
    };
    this.#holding.begin(resolve, { ...request, lockOwner }, { caller, sink, observers, observed });
  }

  get(request: LockName, caller: NativeCaller): Promise<LockInfo | undefined> {
    const subject = { operation: 'get', request, ...request } as const;
    return this.#observe<LockInfo | undefined>(subject, caller, async () => {
      const resolved = resolveGet(this.#stores, request);
      return [await this.#plain.get(resolved, caller.signal), 'seen'];
    });
  }

  list(request: ListRequest, caller: NativeCaller): Promise<ListAnswer> {
    return this.#observe<ListAnswer>({ operation: 'list', request }, caller, async () => {
      const resolved = resolveList(this.#stores, request);
      return [await this.#plain.list(resolved, request, caller.signal), 'seen'];
    });
  }

  forceRelease(request: ForceReleaseRequest, caller: NativeCaller): Promise<ReleaseAnswer> {
    const subject = { operation: 'forceRelease', request, ...request } as const;
    return this.#observe<ReleaseAnswer>(subject, caller, async () => {
      const resolved = resolveForceRelease(this.#stores, request);
      const outcome = await this.#plain.forceRelease(resolved, request, caller.signal);
      if (outcome === 'unlocked') {
        this.#forceReleased(request);
      }
      return [{ status: STATUS_OF_OUTCOME[outcome] }, outcome];
    });
  }

  stop(): void {
    this.#isStopping = true;
    this.#waits.stop();
    this.#holds.stop();
  }

  /** Reports a call to the observers. Converts every failure to a LockError. */
  async #observe<T>(
    subject: Subject,
    caller: NativeCaller,
    run: () => Promise<Ended<T>>,
  ): Promise<T> {
    const observed = this.#begin(subject, this.#observersOf(caller));
    try {
      const [answer, outcome] = await run();
      observed.ended(outcome);
      return answer;
    } catch (error) {
      const { request, operation } = subject;
      throw observed.failed(toLockError(error, request.storeName, TASKS[operation]));
    }
  }

  #begin(subject: Subject, observers: readonly LockObserver[]): ObservedLockCall {
    const { operation, request, resourceId = '', lockOwner = '', ttlMs: leaseMs } = subject;
    const { storeName } = request;
    const isKnownStore = this.#stores.find(storeName) !== undefined;
    return new ObservedLockCall(observers, {
      operation,
      storeName,
      isKnownStore,
      resourceId,
      lockOwner,
      leaseMs,
    });
  }

  async #refuse(resolved: Resolved, { signal }: NativeCaller): Promise<AcquireAnswer> {
    return { acquired: false, holder: await this.#plain.look(resolved, signal) };
  }

  #assertRunning(): void {
    if (this.#isStopping) throw lockErrors.stopping('this call holds nothing');
  }

  #forceReleased({ storeName, resourceId, fencingToken, reason }: ForceReleaseRequest): void {
    const report = { storeName, resourceId, fencingToken, reason };
    for (const observer of this.#observers) observer.forceReleased?.(report);
  }

  #observersOf({ observer }: NativeCaller): readonly LockObserver[] {
    return observer === undefined ? this.#observers : [...this.#observers, observer];
  }

  #toOwner({ lockOwner }: AcquireRequest): string {
    return lockOwner === '' ? drawLockOwner(this.#identity) : lockOwner;
  }

  /** The validity is rounded down, and is 0 if the lease has ended already. */
  #toLease(
    lockOwner: string,
    { fencingToken, validUntilMs }: Grant,
    { arrivedAtMs }: NativeCaller,
  ): Lease {
    const endMs = this.#clock.toMonotonic(validUntilMs);
    return { lockOwner, fencingToken, validMs: Math.max(0, Math.floor(endMs - arrivedAtMs)) };
  }
}
