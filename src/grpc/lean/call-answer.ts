import { PREFIX_BYTES, toFrame } from '../../base/grpc-frames';
import type { ServerStream } from '../../http2/server-stream';
import { type GrpcStatus, OK_STATUS, statusOf } from '../grpc-status';
import type { AnswerBlocks } from './answer-blocks';
import type { AnswerMetadata } from '../answer-metadata';
import { Status } from '../status';

/** The answering side of a gRPC call on a stream: headers, messages, and a status at the end. */
export class CallAnswer {
  readonly #stream: ServerStream;
  readonly #blocks: AnswerBlocks;
  readonly #maxBytes: number;

  /** @param options maxBytes: the limit of a message, in bytes; -1 for none */
  constructor(
    stream: ServerStream,
    options: { readonly blocks: AnswerBlocks; readonly maxBytes: number },
  ) {
    this.#stream = stream;
    this.#blocks = options.blocks;
    this.#maxBytes = options.maxBytes;
  }

  /** True once the call has a status, or its stream is over. */
  get isEnded(): boolean {
    return this.#stream.isAnswerEnded || this.#stream.isClosed;
  }

  /** Sends the headers. Later calls have no effect. */
  sendHead(metadata?: AnswerMetadata): void {
    if (this.#stream.hasResponded) return;
    this.#stream.respond(this.#blocks.head(metadata), { isEnd: false });
  }

  /**
   * Sends a message. Returns false if it waits, in whole or in part, for the client to read. A
   * message above the limit ends the call instead.
   */
  send(message: Buffer): boolean {
    // With its prefix, as grpc-js counts.
    const length = PREFIX_BYTES + message.length;
    if (this.#maxBytes !== -1 && length > this.#maxBytes) {
      const sizes = `${length} vs. ${this.#maxBytes}`;
      this.end(statusOf(Status.RESOURCE_EXHAUSTED, `Sent message larger than max (${sizes})`));
      return true;
    }
    this.sendHead();
    return this.#stream.write(toFrame(message));
  }

  /** Ends the call. An answer that has not begun consists of one header block. */
  end(answered: GrpcStatus = OK_STATUS): void {
    if (this.#stream.hasResponded) this.#stream.end(this.#blocks.trailers(answered));
    else this.#stream.respond(this.#blocks.trailersOnly(answered), { isEnd: true });
  }
}
