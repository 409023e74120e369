import type { FieldList } from './hpack-decoder';
import { CODE } from './protocol';
import { ReceiveWindow } from './receive-window';
import type { RequestHead } from './request-head';
import type { Sender } from './sender';
import { StreamOutput } from './stream-output';
import type { Linked } from './stream-table';

/** Receives the events of a stream, to answer it. */
export interface StreamListener {
  /**
   * Content of the request has arrived. It is valid during the call only. Call
   * {@link ServerStream.consume} for it, now or later: no more arrives than the window holds.
   */
  data(bytes: Buffer): void;
  /** The request is complete. */
  ended(trailers: FieldList | undefined): void;
  /** All that was written has been sent, after {@link ServerStream.write} returned false. */
  drained(): void;
  /**
   * The stream is over; called once, and nothing after it.
   *
   * @param code NO_ERROR if both sides had ended; else of the RST_STREAM that was received or sent,
   *   and CANCEL if the connection was lost
   */
  closed(code: number): void;
}

/** The parts of a connection that its streams use. */
export interface StreamOwner {
  readonly sender: Sender;
  readonly streamWindowBytes: number;
  /** SETTINGS_INITIAL_WINDOW_SIZE of the peer. */
  readonly peerWindow: number;
  /** Sends RST_STREAM. */
  sendReset(stream: ServerStream, code: number): void;
  /** Opens windows after content was consumed. */
  consumed(stream: ServerStream, bytes: number): void;
  /** Something of an answer is sent. */
  answered(): void;
  /** The answer has ended, and the request has not. */
  answeredEarly(stream: ServerStream): void;
  /** The stream is over. */
  closed(stream: ServerStream): void;
}

const IGNORING: StreamListener = {
  data: () => undefined,
  ended: () => undefined,
  drained: () => undefined,
  closed: () => undefined,
};

/** A request and its answer: a stream that a client has opened (RFC 9113, 5.1). */
export class ServerStream implements Linked<ServerStream> {
  readonly id: number;
  readonly head: RequestHead;
  /** Counts what arrives, until all of it has. Used by the connection. */
  window: ReceiveWindow | undefined;
  /** The output of the stream. Used by the connection; write by the methods of the stream. */
  readonly output: StreamOutput;
  /** See {@link Linked}. */
  next: ServerStream | undefined;
  /** True if the request consists of its head alone. */
  readonly endsWithHead: boolean;
  /** The number of the piece of data with which it was opened. Used by the connection. */
  readonly openedIn: number;
  #listener: StreamListener = IGNORING;
  readonly #owner: StreamOwner;
  #receivedBytes = 0;
  #isRequestEnded = false;
  #isAnswerEnded = false;
  #isClosed = false;
  #closeCode: number = CODE.noError;
  #hasResponded = false;

  constructor(
    owner: StreamOwner,
    options: Pick<ServerStream, 'id' | 'head' | 'endsWithHead' | 'openedIn'>,
  ) {
    this.#owner = owner;
    this.id = options.id;
    this.head = options.head;
    this.endsWithHead = options.endsWithHead;
    this.openedIn = options.openedIn;
    this.window = new ReceiveWindow(owner.streamWindowBytes);
    const { sender, peerWindow: window } = owner;
    this.output = new StreamOutput({ streamId: this.id, sender, window, listener: this });
  }

  /** Sets who is told of what comes after the head: at once, if the stream is over by now. */
  tell(listener: StreamListener): void {
    this.#listener = listener;
    if (this.#isClosed) listener.closed(this.#closeCode);
  }

  /** True once all of the request has arrived. */
  get isRequestEnded(): boolean {
    return this.#isRequestEnded;
  }

  /** True once the stream is over. Nothing has an effect on it any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** True once header fields were sent. */
  get hasResponded(): boolean {
    return this.#hasResponded;
  }

  /** True once {@link end} was called, or headers that end the answer were sent. */
  get isAnswerEnded(): boolean {
    return this.#isAnswerEnded;
  }

  /** Sends header fields: informational ones, those of the answer, or all of the answer at once. */
  respond(block: Buffer, { isEnd }: { readonly isEnd: boolean }): void {
    if (this.#isClosed || this.#isAnswerEnded) return;
    this.#hasResponded = true;
    this.#owner.answered();
    this.#isAnswerEnded = isEnd;
    this.#owner.sender.outbox.addBlock(this.id, block, isEnd);
    if (isEnd) this.sentEnd();
  }

  /** Sends content. Returns false if it has to wait; {@link StreamListener.drained} follows then. */
  write(bytes: Buffer): boolean {
    if (this.#isClosed || this.#isAnswerEnded) return true;
    this.#owner.answered();
    return this.output.write(bytes);
  }

  /** Ends the answer after all content. */
  end(trailers?: Buffer): void {
    if (this.#isClosed || this.#isAnswerEnded) return;
    this.#isAnswerEnded = true;
    this.output.end(trailers);
  }

  /** Ends the stream at once (RFC 9113, 5.4.2). */
  reset(code: number): void {
    if (this.#isClosed) return;
    this.#owner.sendReset(this, code);
    this.close(code);
  }

  /** Lets the client send as much again as was consumed. */
  consume(bytes: number): void {
    this.#owner.consumed(this, bytes);
  }

  /** Content has arrived. Returns false if it is more than announced (RFC 9113, 8.1.1). */
  receive(bytes: Buffer): boolean {
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > (this.head.contentLength ?? Infinity)) return false;
    if (bytes.length > 0) this.#listener.data(bytes);
    return true;
  }

  /** The request has ended. Returns false if it is shorter than announced. */
  receiveEnd(trailers: FieldList | undefined): boolean {
    // By what was done with its content.
    if (this.#isClosed) return true;
    const { contentLength } = this.head;
    if (contentLength !== undefined && this.#receivedBytes !== contentLength) return false;
    this.#isRequestEnded = true;
    this.window = undefined;
    this.#listener.ended(trailers);
    if (this.#hasSentEnd) this.close(CODE.noError);
    return true;
  }

  /** Ends the stream without sending anything. */
  close(code: number): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeCode = code;
    this.output.clear();
    this.#owner.closed(this);
    this.#listener.closed(code);
  }

  /** See {@link StreamOutput}. */
  drained(): void {
    this.#listener.drained();
  }

  #hasSentEnd = false;

  /** See {@link StreamOutput}. */
  sentEnd(): void {
    this.#hasSentEnd = true;
    if (this.#isRequestEnded) this.close(CODE.noError);
    else this.#owner.answeredEarly(this);
  }
}
