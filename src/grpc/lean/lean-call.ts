import type { ServerStream } from '../../http2/server-stream';
import type { Connection } from '../connection';
import type { CallLimits } from '../call-gate';
import { type GrpcStatus, OK_STATUS } from '../grpc-status';
import type { CallEnd, StreamServerCall, UnaryServerCall } from '../server-call';
import type { AnswerBlocks } from './answer-blocks';
import type { Receiver } from './begun-stream';
import { CallAnswer } from './call-answer';
import {
  type CallDeadlines,
  type ExpiringCall,
  pastDeadline,
  startDeadline,
  wrongCount,
} from './call-deadline';
import type { CallHeaders } from './call-headers';
import { IncomingMessages, type MessagesListener } from './incoming-messages';
import type { AnswerMetadata } from '../answer-metadata';

/** The parts that all calls of a server share. */
export interface CallParts extends CallDeadlines {
  readonly blocks: AnswerBlocks;
  /** The limit of an answer's message, in bytes. -1 for none. */
  readonly maxMessageBytes: number;
}

/** An admitted call. */
export interface AdmittedCall {
  readonly stream: ServerStream;
  readonly headers: CallHeaders;
  readonly limits: CallLimits;
  readonly connection: Connection;
}

/** A method of the table, as a call needs it. */
export interface TableMethod {
  readonly path: string;
  /** Called once the request has arrived. */
  readonly handle: (call: LeanCall) => void;
}

/**
 * A call of a method with one request: unary or server-streaming. It reads the request, hands itself
 * to the handler, and sends what that answers.
 */
export class LeanCall
  implements Receiver, UnaryServerCall, StreamServerCall, MessagesListener, ExpiringCall
{
  /** Used by the queue of deadlines. */
  dueAtMs = 0;
  /** Used by the queue of deadlines. */
  place = -1;
  readonly metadata: CallHeaders;
  readonly connection: Connection;
  readonly #stream: ServerStream;
  readonly #parts: CallParts;
  readonly #method: TableMethod;
  readonly #answer: CallAnswer;
  /** Undefined once all of the request has arrived: holds last long, and there are many. */
  #messages: IncomingMessages | undefined;
  #request: Buffer | undefined;
  #requestBytes = 0;
  #isPastDeadline = false;
  #isAnswerSent = false;
  #isAnswerQueued = false;
  #isOver = false;
  #end: CallEnd | undefined;
  #onDrained: (() => void) | undefined;

  constructor(call: AdmittedCall, method: TableMethod, parts: CallParts) {
    const { stream, headers, limits, connection } = call;
    this.metadata = headers;
    this.connection = connection;
    this.#stream = stream;
    this.#parts = parts;
    this.#method = method;
    const { blocks, maxMessageBytes: maxBytes } = parts;
    this.#answer = new CallAnswer(stream, { blocks, maxBytes });
    const encoding = headers.text('grpc-encoding') ?? 'identity';
    this.#messages = new IncomingMessages({ limits, encoding, listener: this });
    const refusal = startDeadline(this, headers.text('grpc-timeout'), parts);
    if (refusal !== undefined) this.refuse(refusal);
  }

  get request(): Buffer {
    return this.#request ?? EMPTY;
  }

  get requestBytes(): number {
    return this.#requestBytes;
  }

  get remoteAddress(): string | undefined {
    return this.connection.socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.connection.socket.remotePort;
  }

  get isPastDeadline(): boolean {
    return this.#isPastDeadline;
  }

  get isAnswerSent(): boolean {
    return this.#isAnswerSent;
  }

  whenOver(listener: CallEnd): void {
    this.#end = listener;
  }

  whenDrained(listener: () => void): void {
    this.#onDrained = listener;
  }

  sendMetadata(metadata: AnswerMetadata): void {
    if (!this.#isOver) this.#answer.sendHead(metadata);
  }

  answer(response: Buffer, trailers: AnswerMetadata | undefined): void {
    if (this.#isOver) return;
    // Before the stream closes, which it may do within these calls.
    this.#isAnswerSent = this.#answer.send(response);
    this.#isAnswerQueued = !this.#isAnswerSent;
    this.#answer.end(trailers === undefined ? OK_STATUS : { ...OK_STATUS, metadata: trailers });
  }

  write(message: Buffer): boolean {
    return this.#isOver || this.#answer.send(message);
  }

  end(): void {
    if (!this.#isOver) this.#answer.end();
  }

  fail(answered: GrpcStatus): void {
    if (!this.#isOver) this.#answer.end(answered);
  }

  /** The deadline has passed: nothing that comes later is answered. */
  expire(): void {
    this.#isPastDeadline = true;
    if (!this.#isOver) this.#answer.end(pastDeadline());
    this.#finish();
  }

  /** See {@link Receiver}. */
  data(bytes: Buffer): void {
    this.#messages?.data(bytes);
    // What is kept of it is counted by its account, and not by the windows.
    this.#stream.consume(bytes.length);
  }

  /** See {@link Receiver}. */
  ended(): void {
    this.#messages?.ended();
  }

  /** See {@link Receiver}. */
  drained(): void {
    const listener = this.#onDrained;
    this.#onDrained = undefined;
    listener?.();
  }

  /** See {@link Receiver}. */
  closed(code: number): void {
    // An answer that had to wait is sent as a whole where the stream ends as it should.
    if (this.#isAnswerQueued && code === 0) this.#isAnswerSent = true;
    this.#finish();
  }

  /** See {@link MessagesListener}. */
  message(bytes: Buffer): void {
    if (this.#request === undefined) {
      this.#request = bytes;
      this.#requestBytes = bytes.length;
    } else this.refuse(wrongCount('a second', this.#method.path));
  }

  /** See {@link MessagesListener}. */
  complete(): void {
    if (this.#answer.isEnded) return;
    if (this.#request === undefined) this.refuse(wrongCount('no', this.#method.path));
    else {
      this.#messages = undefined;
      this.#method.handle(this);
      this.#request = undefined;
    }
  }

  /** See {@link MessagesListener}. */
  refuse(answered: GrpcStatus): void {
    this.#messages?.drop();
    this.fail(answered);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#messages?.drop();
    this.#parts.deadlines.delete(this);
    this.#end?.over();
  }
}

const EMPTY = Buffer.alloc(0);
