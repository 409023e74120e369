import type { LockObserver } from '../lock/lock-observer';
import type { EventStream, StreamEnd, StreamHandler } from './api-method';

/**
 * What streams of both transports have in common: in which order sends, ends and the client's leave may
 * come, and who is told. A transport says how an event, an end and a failure are written.
 */
export abstract class OpenStream<Event> implements EventStream<Event> {
  abstract readonly observer: LockObserver | undefined;
  #handler: StreamHandler | undefined;
  #lost: StreamEnd | undefined;
  #isOpen = true;
  #isStopping = false;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Hands the stream to its handler; to be called once. */
  start(open: (stream: EventStream<Event>) => StreamHandler): void {
    try {
      this.#handler = open(this);
    } catch (error) {
      this.fail(error);
      return;
    }
    // Both may have come while the handler began.
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

  /** The sidecar stops. */
  stop(): void {
    this.#isStopping = true;
    if (!this.#isOpen || this.#handler === undefined) return;
    this.#handler.stopping();
    this.end();
  }

  /** For the transport: what was sent has gone. */
  protected drained(): void {
    if (this.#isOpen) this.#handler?.drained();
  }

  /** For the transport: nothing reaches the client any more. */
  protected lose(how: StreamEnd): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#lost = how;
    this.#handler?.closed(how);
  }

  /** False where the client does not keep up. */
  protected abstract write(event: Event): boolean;
  protected abstract writeEnd(): void;
  protected abstract writeFailure(error: unknown): void;
}
