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

/** A client must show that it lives as often as its lease is renewed: after this part of it. */
const RENEWED_PART = 1 / 3;

/**
 * A hold on a stream. It passes the events of the hold to the stream, and the end of the stream to
 * the hold.
 */
export class HoldStream implements StreamHandler, HoldSink {
  readonly #stream: EventStream<HoldEvent>;
  readonly #signal = new Cancellation();
  #isWritable = true;
  #hasHeld = false;
  #isStopping = false;

  constructor(stream: EventStream<HoldEvent>) {
    this.#stream = stream;
  }

  get isWritable(): boolean {
    return this.#isWritable && this.#stream.isAnswering;
  }

  /** Takes the lock. Call it once. */
  begin(locks: NativeLockService, request: HoldRequest): this {
    const { observer } = this.#stream;
    this.#stream.expectAnswers(request.ttlMs * RENEWED_PART);
    const caller = { signal: this.#signal, observer, arrivedAtMs: performance.now() };
    locks.hold(request, caller, this);
    return this;
  }

  emit(event: HoldEvent): void {
    if (event.type === 'held') this.#hasHeld = true;
    this.#isWritable = this.#stream.send(event);
  }

  ended(error: Error | undefined): void {
    if (error === undefined) this.#stream.end();
    else this.#fail(error);
  }

  drained(): void {
    this.#isWritable = true;
  }

  /** A client whose deadline has passed knows that the call is over, like one that has left. */
  closed(how: StreamEnd): void {
    this.#signal.abort(how === 'silent' ? new SilentCallerError() : undefined);
  }

  stopping(): boolean {
    this.#isStopping = true;
    this.#signal.abort(new SidecarStoppingError());
    // The service ends the call in this turn, and knows what to say. Otherwise nobody does.
    setImmediate(() => {
      const reason = 'the sidecar is stopping, the outcome is unknown';
      this.#fail(lockErrors.outcomeUnknown('acquire lock', reason, undefined));
    });
    return true;
  }

  /**
   * Ends the stream without an error if the sidecar stops during a hold: its last event has already
   * announced the end of the lease.
   */
  #fail(error: Error): void {
    const errorCode = error instanceof LockError ? error.errorCode : undefined;
    const isStopping = this.#isStopping || errorCode === 'ERR_LOCK_STOPPING';
    const isKnown = errorCode !== undefined && errorCode !== 'ERR_LOCK_OUTCOME_UNKNOWN';
    if (isStopping && this.#hasHeld) this.#stream.end();
    else if (this.#isStopping && isKnown && errorCode !== 'ERR_LOCK_STOPPING') {
      this.#stream.fail(lockErrors.stopping('this call holds nothing'));
    } else this.#stream.fail(error);
  }
}
