import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

import type { ServerInterceptingCall, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';

import { PREFIX_BYTES } from '../../base/grpc-frames';
import type { CallLimits } from '../call-gate';
import { stopReadingAtEnd } from '../client-stream';
import type { GrpcStatus } from '../grpc-status';
import { inflate } from '../inflate';
import { MessageReader } from '../message-reader';

/** The internals of grpc-js's BaseServerInterceptingCall that this file uses. */
interface CallInternals {
  readonly stream: ServerHttp2Stream;
  readonly incomingEncoding: string;
  decoder: Pick<MessageReader, 'write'>;
  callEventTracker: CallTracker | null;
  readonly handler: { readonly type: string };
  /** True once the call has a status, which waits for the answers before it. */
  readonly wantTrailers: boolean;
  sendMessage(message: unknown, callback: () => void): void;
  sendStatus(status: GrpcStatus): void;
  decompressMessage(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
}

/** Receives the events of a call that grpc-js reports to channelz. */
class CallTracker {
  /** True once a message of the answer has been handed to the socket. */
  hasSentMessage = false;
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  addMessageSent(): void {
    this.hasSentMessage = true;
  }

  addMessageReceived(): void {
    // Not used.
  }

  /**
   * Called before the trailers are handed over, which node:http2 sends in a later turn: a stream that
   * were closed before them would end without a status. Most calls have been read to their end.
   */
  onStreamEnd(): void {
    if (this.#stream.readableEnded) return;
    process.nextTick(() => {
      stopReadingAtEnd(this.#stream);
    });
  }

  onCallEnd(): void {
    // Not used.
  }
}

/**
 * Limits the memory that grpc-js holds for a call, and records whether its answer was sent.
 * Replaces grpc-js's decoder and its channelz tracker (channelz is off).
 */
export function boundCall(call: ServerInterceptingCall, limits: CallLimits): void {
  const internals = call as unknown as CallInternals;
  const { maxBytes, keptBytes, maxMessages, account } = limits;
  const { incomingEncoding: encoding } = internals;
  const take = (bytes: number) => account.take(bytes);
  internals.callEventTracker = new CallTracker(internals.stream);
  if (internals.handler.type === 'bidi') dropLateAnswers(internals);
  if (encoding !== 'identity') {
    // grpc-js also calls this for messages that are not compressed.
    internals.decompressMessage = (message, found) =>
      found === 'identity'
        ? message.subarray(PREFIX_BYTES)
        : inflate(message.subarray(PREFIX_BYTES), found, { maxBytes, take });
  }
  internals.decoder = new MessageReader({
    maxBytes,
    keptBytes,
    maxMessages,
    encoding,
    take,
    refuse: (status) => {
      internals.sendStatus(status);
    },
  });
}

/**
 * Drops answers of a call that has a status, as one with several requests has if a later one is
 * wrong. grpc-js writes them behind the end of the stream, which then never ends.
 */
function dropLateAnswers(internals: CallInternals): void {
  const send = internals.sendMessage.bind(internals);
  internals.sendMessage = (message, callback) => {
    if (internals.wantTrailers) callback();
    else send(message, callback);
  };
}

/** The HTTP/2 session of a call in progress. */
export function sessionOf(
  call: ServerUnaryCall<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>,
): ServerHttp2Session {
  const { stream } = (call as unknown as { readonly call: CallInternals }).call;
  return stream.session as ServerHttp2Session;
}

/**
 * True if the answer of a call was handed to the socket. Before that, no client has seen any of it:
 * grpc-js passes the answer to node:http2, which drops it if the client cancels at the same moment.
 */
export function isAnswerSent(call: ServerUnaryCall<Buffer, Buffer>): boolean {
  const { callEventTracker } = (call as unknown as { readonly call: CallInternals }).call;
  return callEventTracker?.hasSentMessage ?? false;
}
