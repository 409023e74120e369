import type { LockObserver } from '../lock/lock-observer';
import type { EventStream, StreamEnd, StreamHandler } from './api-method';

/**
 * The part of a stream that both transports share: it puts sends, ends and disconnections in order
 * and calls the handler. A transport defines how events, ends and failures are written.
 */
export abstract class OpenStream<Event> implements EventStream<Event> {
  abstract readonly observer: LockObserver | undefined;
  abstract readonly isAnswering: boolean;
  #handler: StreamHandler | undefined;
  #lost: StreamEnd | undefined;
  #isOpen = true;
  #isStopping = false;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Passes the stream to its handler. Call this once. */
  start(open: (stream: EventStream<Event>) => StreamHandler): void {
    try {
      this.#handler = open(this);
    } catch (error) {
      this.fail(error);
      return;
    }
    // Either may have happened while the handler started.
    if (this.#lost !== undefined) this.#handler.closed(this.#lost);
    else if (this.#isStopping) this.stop();
  }

  send(event: Event): boolean {
    return this.#isOpen && this.write(event);
  }

  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.writeEnd();
  }

  fail(error: unknown): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.writeFailure(error);
  }

  abstract metadata(name: string): string | undefined;
  abstract expectAnswers(everyMs: number): void;

  /** Called when the sidecar stops. */
  stop(): void {
    this.#isStopping = true;
    if (!this.#isOpen || this.#handler === undefined) return;
    if (!this.#handler.stopping()) this.end();
  }

  /** Called by the transport when its buffer has been sent. */
  protected drained(): void {
    if (this.#isOpen) this.#handler?.drained();
  }

  /** Called by the transport when the client can't be reached any more. */
  protected lose(how: StreamEnd): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#lost = how;
    this.#handler?.closed(how);
  }

  /** Returns false if the client does not read fast enough. */
  protected abstract write(event: Event): boolean;
  protected abstract writeEnd(): void;
  protected abstract writeFailure(error: unknown): void;
}
