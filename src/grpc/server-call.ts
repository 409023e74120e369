import type { Connection } from './connection';
import type { GrpcStatus } from './grpc-status';
import type { AnswerMetadata } from './answer-metadata';

/** The metadata that a client sent with a call. */
export interface CallMetadata {
  /** The first text of a key. A binary value counts as absent. */
  first(name: string): string | undefined;
  /** The first value of a binary key. */
  binary(name: string): Buffer | undefined;
  names(): readonly string[];
}

/** Is told of the end of a call. An object, because a hold lasts long and would keep a closure too. */
export interface CallEnd {
  over(): void;
}

/**
 * A call whose request has arrived, as the handlers of the method table see it. Each of the two
 * transports, grpc-js and our own (lean/), has one implementation.
 */
export interface ServerCall {
  /** Valid until the handler returns, so that a call that lasts does not keep it. */
  readonly request: Buffer;
  readonly requestBytes: number;
  readonly metadata: CallMetadata;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** Undefined if it has ended. */
  readonly connection: Connection | undefined;
  /** True once the call's deadline has passed. The transport answers it then. */
  readonly isPastDeadline: boolean;
  /** Calls back once, however the call ends, answered or not. Call this before answering. */
  whenOver(listener: CallEnd): void;
  /** Sends metadata before the answer. */
  sendMetadata(metadata: AnswerMetadata): void;
  /** Ends the call with a status. Has no effect once it is over. */
  fail(status: GrpcStatus): void;
}

/** A call with one answer. */
export interface UnaryServerCall extends ServerCall {
  /**
   * True if the answer was handed to the socket. Before that, no client has seen any of it, and a
   * call that ends is one that was not answered.
   */
  readonly isAnswerSent: boolean;
  /** Ends the call with its answer. */
  answer(response: Buffer, trailers: AnswerMetadata | undefined): void;
}

/** A call with a stream of answers. */
export interface StreamServerCall extends ServerCall {
  /** Sends a message. Returns false if the client does not read fast enough. */
  write(message: Buffer): boolean;
  /** Calls back once, when all that was written has been sent. */
  whenDrained(listener: () => void): void;
  /** Ends the call successfully. */
  end(): void;
}
