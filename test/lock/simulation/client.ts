import { Cancellation } from '../../../src/base/cancellation';
import { LockError } from '../../../src/lock/lock-errors';
import {
  type AcquireRequest,
  type HoldEvent,
  SilentCallerError,
} from '../../../src/lock/native-lock-service';
import { RecordedHold, type SimulatedSidecar } from '../../support/lock-world/sidecar';
import type { ManualClock } from '../../support/manual-clock';
import type { Chance } from './chance';

/** The lock that a client believes it holds. */
export interface Belief {
  readonly token: number;
  readonly epoch: number;
  /** Until when, on the clock of the simulation, sleeps of its machine counted. */
  untilMs: number;
}

/**
 * - `calling`: no answer yet
 * - `holding`: was told that it has the lock
 * - `done`: has nothing, and nothing of it may be left in the store
 * - `left`: has nothing any more, and its lease may run out in the store
 */
export type ClientState = 'calling' | 'holding' | 'done' | 'left';

/** The parts that a simulated client uses. */
export interface ClientContext {
  readonly clock: ManualClock;
  readonly chance: Chance;
  /** How often the server had lost its data when it gave that token. */
  readonly epochOf: (token: number) => number;
  /** Sleeps of a sidecar's machine so far, in milliseconds. */
  readonly fail: (what: string) => void;
  readonly told: (client: SimulatedClient) => void;
}

const TTLS_MS = [30, 200, 2000, 20_000, 120_000];
const WAITS_MS = [0, 0, 100, 1000, 8000, 30_000];

/** A client that takes a lock by one call, behaves in one of many ways, and compares what it is told with the promises. */
export class SimulatedClient {
  readonly request: AcquireRequest;
  readonly kind: 'acquire' | 'hold';
  readonly arrivedAtMs: number;
  state: ClientState = 'calling';
  belief: Belief | undefined;
  isOver = false;
  readonly #signal: Cancellation;
  readonly #hold: RecordedHold;

  constructor(
    readonly name: string,
    readonly sidecar: SimulatedSidecar,
    readonly context: ClientContext,
  ) {
    const { chance, clock } = context;
    this.kind = chance.of(['acquire', 'hold', 'hold']);
    this.arrivedAtMs = clock.now();
    this.#hold = new RecordedHold(clock);
    this.#signal = this.#hold.signal;
    this.request = {
      storeName: 'store',
      resourceId: chance.of(['a', 'b', 'c']),
      lockOwner: name,
      ttlMs: chance.of(TTLS_MS),
      waitMs: chance.of(WAITS_MS),
    };
    if (this.kind === 'hold') this.#beginHold();
    else this.#beginAcquire();
    if (chance.is(0.2))
      this.#after(chance.between(0, 5000), () => {
        this.leave();
      });
  }

  /** The client ends its call, and lets go of what it has. */
  leave(): void {
    if (this.state === 'calling' || (this.kind === 'hold' && this.state === 'holding')) {
      this.#over('done');
      this.#signal.abort();
    } else if (this.state === 'holding') this.#release();
  }

  #after(delayMs: number, run: () => void): void {
    this.context.clock.after(delayMs, run);
  }

  #beginHold(): void {
    const { sidecar, request, context } = this;
    this.#hold.onEvent = (event) => {
      this.#hear(event);
    };
    this.#hold.onEnd = (error) => {
      if (error !== undefined) this.#failed(error);
      else if (this.state === 'calling' || this.state === 'holding')
        context.fail(`${this.name} ended untold`);
    };
    sidecar.locks.hold(request, this.#caller(), this.#hold);
  }

  #beginAcquire(): void {
    this.sidecar.locks.acquire(this.request, this.#caller()).then(
      (answer) => {
        if (this.isOver) return;
        if (!answer.acquired) this.#over('done');
        else if (this.context.chance.is(0.1)) this.leave();
        else this.#granted(answer.lease.fencingToken, answer.lease.validMs);
      },
      (error: unknown) => {
        this.#failed(error);
      },
    );
  }

  #caller(): { signal: Cancellation; arrivedAtMs: number } {
    return { signal: this.#signal, arrivedAtMs: this.arrivedAtMs };
  }

  #failed(error: unknown): void {
    if (!(error instanceof LockError)) this.context.fail(`${this.name}: ${String(error)}`);
    if (this.isOver) return;
    this.#over(this.state === 'holding' ? 'left' : 'done');
  }

  #hear(event: HoldEvent): void {
    const { fail } = this.context;
    if (this.isOver) {
      if (!this.#signal.aborted) fail(`${this.name} was told ${event.type} after its end`);
      return;
    }
    if (event.type === 'held') this.#granted(event.lease.fencingToken, event.lease.validMs);
    else if (event.type === 'refused') this.#over('done');
    else if (event.type === 'lost') this.#over('left');
    else if (event.type !== 'queued') this.#prolonged(event.type, event.validMs);
  }

  #granted(token: number, validMs: number): void {
    const { clock, fail, epochOf, told } = this.context;
    const { waitMs } = this.request;
    if (this.#signal.aborted) fail(`${this.name} was granted after it had gone`);
    if (waitMs > 0 && clock.now() >= this.arrivedAtMs + waitMs)
      fail(`${this.name} was granted late`);
    this.belief = { token, epoch: epochOf(token), untilMs: this.#toEnd(validMs) };
    this.state = 'holding';
    if (clock.now() >= this.belief.untilMs) fail(`${this.name} was told of a lease that was over`);
    told(this);
    this.#plan();
  }

  #prolonged(type: string, validMs: number): void {
    const { belief, context } = this;
    const untilMs = this.#toEnd(validMs);
    if (belief === undefined) context.fail(`${this.name} was told ${type} before held`);
    else if (untilMs < belief.untilMs - 2) context.fail(`${this.name}'s lease was shortened`);
    else if (context.clock.now() >= untilMs)
      context.fail(`${this.name} was told ${type} after its end`);
    else belief.untilMs = untilMs;
  }

  /** Most clients have a monotonic clock, which stops while their machine sleeps. */
  #toEnd(validMs: number): number {
    return this.arrivedAtMs + validMs;
  }

  /** Its use of the lock. */
  #plan(): void {
    const { chance } = this.context;
    const deed = this.kind === 'acquire' ? this.#planAcquired() : this.#planHeld();
    this.#after(chance.between(0, 6000), deed);
  }

  #planAcquired(): () => void {
    if (this.context.chance.is(0.3)) {
      this.#over('left');
      return () => undefined;
    }
    return () => {
      this.leave();
    };
  }

  #planHeld(): () => void {
    const what = this.context.chance.next();
    return () => {
      if (what < 0.6) this.leave();
      else if (what < 0.7) this.#fallSilent();
      else if (what < 0.8) this.#hold.isWritable = false;
    };
  }

  #fallSilent(): void {
    if (this.state !== 'holding') return;
    this.#over('left');
    this.#signal.abort(new SilentCallerError());
  }

  #release(): void {
    const { token } = this.belief!;
    this.#over('left');
    const request = { ...this.request, fencingToken: token };
    const caller = { signal: new Cancellation(), arrivedAtMs: this.context.clock.now() };
    this.sidecar.locks.release(request, caller).then(
      () => (this.state = 'done'),
      () => undefined,
    );
  }

  #over(state: ClientState): void {
    this.state = state;
    this.isOver = true;
  }
}
