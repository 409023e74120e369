import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

import type { ServerInterceptingCall, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';

import type { ByteAccount } from '../servers/byte-budget';
import type { GrpcStatus } from './grpc-status';
import { inflate } from './inflate';
import { MessageReader, PREFIX_BYTES } from './message-reader';

/** The part of grpc-js's BaseServerInterceptingCall that is reached into. */
interface CallInternals {
  readonly stream: ServerHttp2Stream;
  readonly incomingEncoding: string;
  decoder: Pick<MessageReader, 'write'>;
  callEventTracker: CallTracker | null;
  sendStatus(status: GrpcStatus): void;
  decompressMessage(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
}

/** What grpc-js tells of a call to whom it takes for its own channelz. */
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
    // Nobody asks.
  }

  /** Before its trailers are sent. Most calls have been read to their end by then. */
  onStreamEnd(): void {
    if (!this.#stream.readableEnded) stopReadingAtEnd(this.#stream);
  }

  onCallEnd(): void {
    // Nobody asks.
  }
}

/** What a call may take. */
export interface CallLimits {
  /** Longest message taken, in bytes; -1 for no limit. */
  readonly maxBytes: number;
  /** How much of a message is kept; all of it where undefined. */
  readonly keptBytes: number | undefined;
  readonly maxMessages: number;
  /** Pays for what is held for the call until its stream closes. */
  readonly account: ByteAccount;
}

/**
 * Bounds what grpc-js holds for a call, and lets it be known whether its answer was sent. It takes
 * its decoder's place and that of channelz, which is off.
 */
export function boundCall(call: ServerInterceptingCall, limits: CallLimits): void {
  const internals = call as unknown as CallInternals;
  const { maxBytes, keptBytes, maxMessages, account } = limits;
  const { incomingEncoding: encoding } = internals;
  const take = (bytes: number) => account.take(bytes);
  internals.callEventTracker = new CallTracker(internals.stream);
  if (encoding !== 'identity') {
    // It is asked for messages that are not compressed too.
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
 * Tells a client, once its call has its answer, not to send the rest of the call (RFC 9113, 8.1), as grpc-go
 * does.
 */
export function stopReadingAtEnd(stream: ServerHttp2Stream): void {
  const stop = () => {
    if (!stream.readableEnded && !stream.closed) stream.close();
  };
  if (stream.writableFinished) setImmediate(stop);
  else stream.once('finish', () => setImmediate(stop));
}

/** The HTTP/2 stream of a call. */
export function streamOf(call: ServerInterceptingCall): ServerHttp2Stream {
  return (call as unknown as CallInternals).stream;
}

/** The connection of a call that is under way. */
export function sessionOf(call: ServerWritableStream<Buffer, Buffer>): ServerHttp2Session {
  const { stream } = (call as unknown as { readonly call: CallInternals }).call;
  return stream.session as ServerHttp2Session;
}

/**
 * True once the answer of a call has been handed to the socket. Before that nobody has seen any of
 * it: grpc-js gives it to node:http2, which drops it where the client cancels in the same moment.
 */
export function isAnswerSent(call: ServerUnaryCall<Buffer, Buffer>): boolean {
  const { callEventTracker } = (call as unknown as { readonly call: CallInternals }).call;
  return callEventTracker?.hasSentMessage ?? false;
}
