import { Duplex } from 'node:stream';

import type { ServerStream } from '../../http2/server-stream';
import { type GrpcStatus, OK_STATUS, statusOf } from '../grpc-status';
import type { ServiceMethod } from '../late-services';
import type { TransportMethod } from '../transport-methods';
import type { Receiver } from './begun-stream';
import { CallAnswer } from './call-answer';
import { type ExpiringCall, pastDeadline, startDeadline, wrongCount } from './call-deadline';
import type { CallHeaders } from './call-headers';
import { IncomingMessages, type MessagesListener } from './incoming-messages';
import type { AdmittedCall, CallParts } from './lean-call';
import type { AnswerMetadata } from '../answer-metadata';
import { Status } from '../status';

/** A method of a service that is written for grpc-js. */
export interface ServiceCallMethod extends ServiceMethod {
  readonly kind: TransportMethod['kind'];
}

/**
 * A call of health checks or reflection. Their libraries are written for the calls of grpc-js, which
 * are streams of messages, so this one looks like those. Few such calls are made.
 */
export class MessageCall extends Duplex implements MessagesListener, ExpiringCall {
  /** Used by the queue of deadlines. */
  dueAtMs = 0;
  /** Used by the queue of deadlines. */
  place = -1;
  /** Receives the events of the HTTP/2 stream. */
  readonly receiver: Receiver = {
    data: (bytes) => {
      this.#receive(bytes);
    },
    ended: () => {
      this.#messages.ended();
    },
    drained: () => {
      this.#drained();
    },
    closed: () => {
      this.#close();
    },
  };
  /** The message of a call with one request. */
  request: object | undefined;
  /** True once the call is over, as grpc-js has it. */
  cancelled = false;
  readonly metadata: { readonly get: (name: string) => readonly (string | Buffer)[] };
  readonly #stream: ServerStream;
  readonly #method: ServiceCallMethod;
  readonly #parts: CallParts;
  readonly #answer: CallAnswer;
  readonly #messages: IncomingMessages;
  #status: GrpcStatus = OK_STATUS;
  /** Received content that the reader has not come to. */
  #unreadBytes = 0;
  #onDrained: (() => void) | undefined;

  constructor(call: AdmittedCall, method: ServiceCallMethod, parts: CallParts) {
    super({ objectMode: true });
    const { stream, headers, limits } = call;
    this.metadata = toMetadata(headers);
    this.#stream = stream;
    this.#method = method;
    this.#parts = parts;
    const { blocks, maxMessageBytes: maxBytes } = parts;
    this.#answer = new CallAnswer(stream, { blocks, maxBytes });
    const encoding = headers.text('grpc-encoding') ?? 'identity';
    this.#messages = new IncomingMessages({ limits, encoding, listener: this });
    // Services end a failed call by this event, as with grpc-js.
    this.on('error', (answered: GrpcStatus) => {
      this.#status = answered;
      this.end();
    });
    const refusal = startDeadline(this, headers.text('grpc-timeout'), parts);
    if (refusal !== undefined) this.refuse(refusal);
    else if (method.kind === 'bidi') method.handle(this as never, undefined as never);
  }

  /** Sends metadata before the first answer. */
  sendMetadata(metadata: AnswerMetadata): void {
    this.#answer.sendHead(metadata);
  }

  /** See {@link MessagesListener}. */
  message(bytes: Buffer): void {
    const request = this.#decode(bytes);
    if (request === undefined) return;
    if (this.#method.kind === 'bidi') this.push(request);
    else if (this.request === undefined) this.request = request;
    else this.refuse(wrongCount('a second', this.#stream.head.path));
  }

  /** See {@link MessagesListener}. */
  complete(): void {
    this.push(null);
    if (this.#method.kind === 'bidi' || this.#answer.isEnded) return;
    if (this.request === undefined) {
      this.refuse(wrongCount('no', this.#stream.head.path));
      return;
    }
    this.resume();
    this.#method.handle(this as never, this.#callback as never);
  }

  /** See {@link MessagesListener}. The messages before the refused one are answered, as by grpc-js. */
  refuse(answered: GrpcStatus): void {
    const isBehindOthers = this.readableLength > 0 || this.writableLength > 0;
    if (this.#method.kind !== 'bidi' || !isBehindOthers) {
      this.#endNow(answered);
      return;
    }
    this.#messages.drop();
    this.#status = answered;
    this.push(null);
  }

  /** See {@link ExpiringCall}. */
  expire(): void {
    this.#endNow(pastDeadline());
  }

  /** Called by Duplex when the reader has room. */
  override _read(): void {
    this.#consume();
  }

  override _write(answer: object, _encoding: string, callback: () => void): void {
    if (this.#answer.isEnded || this.#answer.send(this.#method.serialize(answer))) callback();
    else this.#onDrained = callback;
  }

  override _final(callback: () => void): void {
    if (!this.#answer.isEnded) this.#answer.end(this.#status);
    callback();
  }

  #endNow(answered: GrpcStatus): void {
    this.#messages.drop();
    this.#answer.end(answered);
  }

  readonly #callback = (error: GrpcStatus | null, answer?: object): void => {
    if (answer !== undefined) this.#answer.send(this.#method.serialize(answer));
    this.#answer.end(error ?? OK_STATUS);
  };

  /** Undefined for bytes that are no such message, of which the client is told as by grpc-js. */
  #decode(bytes: Buffer): object | undefined {
    try {
      return this.#method.deserialize(bytes);
    } catch {
      this.refuse(statusOf(Status.INTERNAL, 'Error deserializing request'));
      return undefined;
    }
  }

  #receive(bytes: Buffer): void {
    this.#unreadBytes += bytes.length;
    this.#messages.data(bytes);
    if (this.#method.kind !== 'bidi' || this.readableLength === 0) this.#consume();
  }

  #drained(): void {
    const listener = this.#onDrained;
    this.#onDrained = undefined;
    listener?.();
  }

  #close(): void {
    this.#parts.deadlines.delete(this);
    this.#messages.drop();
    this.#consume();
    this.cancelled = true;
    process.nextTick(() => {
      this.emit('cancelled');
      this.destroy();
    });
  }

  #consume(): void {
    const bytes = this.#unreadBytes;
    this.#unreadBytes = 0;
    if (bytes > 0) this.#stream.consume(bytes);
  }
}

/** The part of grpc-js's Metadata that services use. */
function toMetadata(headers: CallHeaders): MessageCall['metadata'] {
  return {
    get: (name) => {
      const value = headers.first(name) ?? headers.binary(name);
      return value === undefined ? [] : [value];
    },
  };
}
