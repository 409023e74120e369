import { FLAG, FRAME, LEAST_MAX_FRAME_BYTES, MOST_31_BITS } from './protocol';
import type { Sender } from './sender';

const EMPTY = Buffer.alloc(0);

/** Receives the events of an output. */
export interface OutputListener {
  /** All queued content was sent, after {@link StreamOutput.write} returned false. */
  drained(): void;
  /** The last frame of the stream was sent. */
  sentEnd(): void;
}

/** The sending side of a stream: its window, and the content that waits for it. */
export class StreamOutput {
  readonly #streamId: number;
  readonly #sender: Sender;
  readonly #listener: OutputListener;
  #window: number;
  #queue: Buffer[] | undefined;
  /** True while the sender has it on its list. */
  #isReady = false;
  #isEnding = false;
  #trailers: Buffer | undefined;

  constructor(options: {
    readonly streamId: number;
    readonly sender: Sender;
    readonly listener: OutputListener;
    /** SETTINGS_INITIAL_WINDOW_SIZE of the peer. */
    readonly window: number;
  }) {
    this.#streamId = options.streamId;
    this.#sender = options.sender;
    this.#listener = options.listener;
    this.#window = options.window;
  }

  /**
   * Opens the window, or closes it, which can make it negative (RFC 9113, 6.9.2). Returns false if it
   * would become too large.
   */
  open(bytes: number): boolean {
    this.#window += bytes;
    if (this.#window > MOST_31_BITS) return false;
    this.#enlist();
    return true;
  }

  /** Sends content, or queues it: then it returns false. */
  write(bytes: Buffer): boolean {
    let rest = bytes;
    while (this.#queue === undefined && rest.length > 0 && this.#canSend()) {
      rest = this.#sendPart(rest);
    }
    if (rest.length === 0) return this.#queue === undefined;
    (this.#queue ??= []).push(rest);
    this.#sender.queue(rest.length);
    this.#enlist();
    return false;
  }

  /** Ends the stream after all content, with a block of trailers or without. */
  end(trailers: Buffer | undefined): void {
    this.#isEnding = true;
    this.#trailers = trailers;
    if (this.#queue === undefined) this.#sendEnd();
  }

  /** Sends the next frame of what is queued. Returns whether another one can follow. */
  sendFrame(): boolean {
    const [first] = this.#queue ?? [];
    if (first === undefined || this.#window <= 0) {
      this.#isReady = false;
      return false;
    }
    const rest = this.#sendPart(first);
    this.#sender.queue(rest.length - first.length);
    if (rest.length > 0) this.#queue?.splice(0, 1, rest);
    else this.#queue?.shift();
    if (this.#queue?.length !== 0) return true;
    this.#isReady = false;
    this.#queue = undefined;
    if (this.#isEnding) this.#sendEnd();
    else this.#listener.drained();
    return false;
  }

  /** Drops what is queued. */
  clear(): void {
    for (const bytes of this.#queue ?? []) this.#sender.queue(-bytes.length);
    this.#queue = undefined;
    this.#isEnding = false;
  }

  #canSend(): boolean {
    return this.#window > 0 && this.#sender.room > 0;
  }

  #enlist(): void {
    if (this.#isReady || this.#queue === undefined || this.#window <= 0) return;
    this.#isReady = true;
    this.#sender.enlist(this);
  }

  /** Sends one frame, and returns the rest. */
  #sendPart(bytes: Buffer): Buffer {
    const room = Math.min(this.#window, this.#sender.room, LEAST_MAX_FRAME_BYTES);
    const part = bytes.subarray(0, room);
    this.#window -= part.length;
    this.#sender.spend(part.length);
    const head = { type: FRAME.data, flags: 0, streamId: this.#streamId };
    this.#sender.outbox.addFrame(head, part);
    return bytes.subarray(part.length);
  }

  #sendEnd(): void {
    const { outbox } = this.#sender;
    if (this.#trailers !== undefined) outbox.addBlock(this.#streamId, this.#trailers, true);
    else {
      const head = { type: FRAME.data, flags: FLAG.endStream, streamId: this.#streamId };
      outbox.addFrame(head, EMPTY);
    }
    this.#listener.sentEnd();
  }
}
