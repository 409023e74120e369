import { Cancellation } from '../base/cancellation';
import { LockError, lockErrors } from '../lock/lock-errors';
import {
  type HoldEvent,
  type HoldRequest,
  type HoldSink,
  type NativeLockService,
  SidecarStoppingError,
  SilentCallerError,
} from '../lock/native-lock-service';
import type { EventStream, StreamEnd, StreamHandler } from './api-method';

/** A hold on its stream: hands its events on, and tells it how the client has ended the call. */
export class HoldStream implements StreamHandler, HoldSink {
  readonly #stream: EventStream<HoldEvent>;
  readonly #signal = new Cancellation();
  #isWritable = true;
  #hasHeld = false;

  constructor(stream: EventStream<HoldEvent>) {
    this.#stream = stream;
  }

  get isWritable(): boolean {
    return this.#isWritable;
  }

  /** Takes the lock; to be called once. */
  begin(locks: NativeLockService, request: HoldRequest): this {
    const { observer } = this.#stream;
    const caller = { signal: this.#signal, observer, arrivedAtMs: performance.now() };
    locks.hold(request, caller, this).then(
      () => {
        this.#stream.end();
      },
      (error: unknown) => {
        this.#fail(error);
      },
    );
    return this;
  }

  emit(event: HoldEvent): void {
    if (event.type === 'held') this.#hasHeld = true;
    this.#isWritable = this.#stream.send(event);
  }

  drained(): void {
    this.#isWritable = true;
  }

  /** A deadline is of the client's own making: it knows that the call is over, as one that left does. */
  closed(how: StreamEnd): void {
    this.#signal.abort(how === 'silent' ? new SilentCallerError() : undefined);
  }

  stopping(): void {
    this.#signal.abort(new SidecarStoppingError());
    this.#fail(lockErrors.stopping('this call holds nothing'));
  }

  /** A holder has been told by its last event how long its lease lasts: nothing is wrong with its call. */
  #fail(error: unknown): void {
    const isStopping = error instanceof LockError && error.errorCode === 'ERR_LOCK_STOPPING';
    if (isStopping && this.#hasHeld) this.#stream.end();
    else this.#stream.fail(error);
  }
}
