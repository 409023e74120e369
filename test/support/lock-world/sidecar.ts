import { Cancellation } from '../../../src/base/cancellation';
import type { CallPolicy } from '../../../src/lock/call-policy';
import { LeaseClock } from '../../../src/lock/lease-clock';
import { createLockKeyPrefix } from '../../../src/lock/lock-key';
import type { LockObserver } from '../../../src/lock/lock-observer';
import { createNativeLockService } from '../../../src/lock/native/native-locks';
import type {
  AcquireAnswer,
  AcquireRequest,
  HoldEvent,
  HoldRequest,
  HoldSink,
  NativeLockService,
} from '../../../src/lock/native-lock-service';
import { StoreCatalog } from '../../../src/lock/store-catalog';
import type { ManualClock } from '../manual-clock';
import type { LockServer } from './lock-server';
import { RemoteStore } from './remote-store';

/** The whole key of a resource of a {@link SimulatedSidecar}. */
export function keyOf(resourceId: string): string {
  return `lock||app||${resourceId}`;
}

/** A hold that a test looks into: its events with their times, and how its call ended. */
export class RecordedHold implements HoldSink {
  readonly signal = new Cancellation();
  readonly events: (HoldEvent & { readonly atMs: number })[] = [];
  isWritable = true;
  end: 'open' | 'resolved' | Error = 'open';
  /** Each end that it was told: one, if the service keeps its promise. */
  readonly ends: (Error | undefined)[] = [];
  onEvent: (event: HoldEvent) => void = () => undefined;
  onEnd: (error: Error | undefined) => void = () => undefined;

  constructor(private readonly clock: ManualClock) {}

  emit(event: HoldEvent): void {
    this.events.push({ ...event, atMs: this.clock.now() });
    this.onEvent(event);
  }

  ended(error: Error | undefined): void {
    this.ends.push(error);
    this.end = error ?? 'resolved';
    this.onEnd(error);
  }

  /** The types of the events so far. */
  get told(): readonly string[] {
    return this.events.map(({ type }) => type);
  }

  /** The last event, without its time. */
  get last(): HoldEvent | undefined {
    return this.events.at(-1);
  }
}

/** A wait that a test looks into. */
export interface RecordedWait {
  readonly signal: Cancellation;
  answer: AcquireAnswer | undefined;
  error: Error | undefined;
  /** When it ended. */
  atMs: number;
}

/** The native lock service over a store of its own at a shared server, all under one virtual clock. */
export class SimulatedSidecar {
  readonly store: RemoteStore;
  readonly stores = new StoreCatalog();
  readonly locks: NativeLockService;
  /** How far the wall clock is ahead of the monotonic one; a sleep moves it. */
  wallAheadMs = 1_700_000_000_000;
  readonly #clock: ManualClock;

  constructor(
    server: LockServer,
    clock: ManualClock,
    options: {
      readonly observer?: LockObserver;
      readonly maxWaits?: number;
      readonly maxHolds?: number;
      readonly random?: () => number;
      readonly policyOf?: (storeName: string) => CallPolicy;
    } = {},
  ) {
    const { observer, random = () => 0, ...bounds } = options;
    this.#clock = clock;
    this.store = new RemoteStore(server, clock);
    const keyPrefix = createLockKeyPrefix({
      keyPrefix: undefined,
      appId: 'app',
      componentName: 'store',
    });
    this.stores.add({ name: 'store', store: this.store, keyPrefix });
    this.locks = createNativeLockService({
      stores: this.stores,
      appId: 'app',
      hostName: 'host',
      observers: observer === undefined ? [] : [observer],
      clock: new LeaseClock(clock, () => Math.floor(clock.now() + this.wallAheadMs)),
      random,
      ...bounds,
    });
  }

  /** The present caller. */
  callerOf(signal = new Cancellation()): { signal: Cancellation; arrivedAtMs: number } {
    return { signal, arrivedAtMs: this.#clock.now() };
  }

  /** Begins to hold; the request has sensible values where nothing is said. */
  hold(request: Partial<HoldRequest> = {}): RecordedHold {
    const hold = new RecordedHold(this.#clock);
    const whole = { storeName: 'store', resourceId: 'r', lockOwner: '', ttlMs: 9000, waitMs: 0 };
    this.locks.hold({ ...whole, ...request }, this.callerOf(hold.signal), hold);
    return hold;
  }

  /** Takes a lock by a hold. The result releases it. */
  async holdUntilReleased(): Promise<() => Promise<void>> {
    const held = this.hold({ ttlMs: 60_000 });
    await this.#clock.passGently(5);
    return async () => {
      held.signal.abort();
      await this.#clock.passGently(5);
    };
  }

  /** Begins to wait; the request has sensible values where nothing is said. */
  wait(request: Partial<AcquireRequest> = {}): RecordedWait {
    const clock = this.#clock;
    const signal = new Cancellation();
    const result: RecordedWait = { signal, answer: undefined, error: undefined, atMs: 0 };
    const whole = { storeName: 'store', resourceId: 'r', lockOwner: '', ttlMs: 60_000 };
    this.locks.acquire({ ...whole, waitMs: 10_000, ...request }, this.callerOf(signal)).then(
      (answer) => Object.assign(result, { answer, atMs: clock.now() }),
      (error: unknown) => Object.assign(result, { error, atMs: clock.now() }),
    );
    return result;
  }
}
