import type { Outbox } from './outbox';
import { CODE, ConnectionError, FIRST_WINDOW_BYTES, MOST_31_BITS } from './protocol';
import type { StreamOutput } from './stream-output';

/**
 * Sends the content of all streams of a connection as its window allows (RFC 9113, 5.2). Streams that
 * wait for the window of the connection get a frame each in turn.
 */
export class Sender {
  readonly outbox: Outbox;
  readonly #maxQueuedBytes: number;
  readonly #onOverflow: () => void;
  #window = FIRST_WINDOW_BYTES;
  #isHeld = false;
  #queuedBytes = 0;
  /** Streams whose own window is open, and which have something to send. */
  #ready: StreamOutput[] = [];

  constructor(options: {
    readonly outbox: Outbox;
    readonly maxQueuedBytes: number;
    /** Called when more is queued than allowed. */
    readonly onOverflow: () => void;
  }) {
    this.outbox = options.outbox;
    this.#maxQueuedBytes = options.maxQueuedBytes;
    this.#onOverflow = options.onOverflow;
  }

  /** How many bytes of content may be sent now. */
  get room(): number {
    return this.#isHeld ? 0 : this.#window;
  }

  /** Stops sending content while the socket takes no more, and goes on later. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#pump();
  }

  /**
   * Opens the window of the connection (RFC 9113, 6.9.1).
   *
   * @throws {ConnectionError} FLOW_CONTROL_ERROR if it would become too large
   */
  open(bytes: number): void {
    this.#window += bytes;
    if (this.#window > MOST_31_BITS) {
      throw new ConnectionError(CODE.flowControlError, 'the window of the connection is too large');
    }
    this.#pump();
  }

  /** Counts content that was sent. */
  spend(bytes: number): void {
    this.#window -= bytes;
  }

  /** Counts content that waits; negative for what no longer does. */
  queue(bytes: number): void {
    this.#queuedBytes += bytes;
    if (bytes > 0 && this.#queuedBytes > this.#maxQueuedBytes) this.#onOverflow();
  }

  /** Adds a stream that can send. Its output sees to it that it is added once. */
  enlist(output: StreamOutput): void {
    this.#ready.push(output);
    this.#pump();
  }

  #pump(): void {
    while (this.room > 0 && this.#ready.length > 0) {
      const round = this.#ready;
      this.#ready = [];
      for (const output of round) {
        const canSendMore = this.room === 0 || output.sendFrame();
        if (canSendMore) this.#ready.push(output);
      }
    }
  }
}
