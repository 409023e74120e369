import type { Metadata, sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';

import type { AnswerMetadata } from '../answer-metadata';
import type { Connection } from '../connection';
import type { Connections } from './connections';
import { isAnswerSent, sessionOf } from './grpc-js-call';
import { toGrpcJsMetadata, toGrpcJsStatus } from './grpc-js-status';
import type { GrpcStatus } from '../grpc-status';
import type {
  CallEnd,
  CallMetadata,
  ServerCall,
  StreamServerCall,
  UnaryServerCall,
} from '../server-call';

/** The members that all calls of grpc-js have in common. */
abstract class GrpcJsServerCall<
  Call extends ServerUnaryCall<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>,
> implements ServerCall {
  readonly metadata: CallMetadata;
  readonly #connections: Connections;
  protected readonly call: Call;

  constructor(call: Call, connections: Connections) {
    this.call = call;
    this.metadata = new GrpcJsMetadata(call.metadata);
    this.#connections = connections;
  }

  get request(): Buffer {
    return this.call.request;
  }

  get requestBytes(): number {
    return this.call.request.length;
  }

  get remoteAddress(): string | undefined {
    return this.#peer()[0];
  }

  get remotePort(): number | undefined {
    const [, port] = this.#peer();
    return port === undefined ? undefined : Number(port);
  }

  get connection(): Connection | undefined {
    return this.#connections.of(sessionOf(this.call));
  }

  get isPastDeadline(): boolean {
    return Number(this.call.getDeadline()) <= Date.now();
  }

  /** grpc-js emits this event once, however the call ends, and answers calls past their deadline. */
  whenOver(listener: CallEnd): void {
    this.call.once('cancelled', () => {
      listener.over();
    });
  }

  sendMetadata(metadata: AnswerMetadata): void {
    this.call.sendMetadata(toGrpcJsMetadata(metadata));
  }

  abstract fail(status: GrpcStatus): void;

  #peer(): readonly (string | undefined)[] {
    return /^(.*):(\d+)$/.exec(this.call.getPeer())?.slice(1) ?? [];
  }
}

/**
 * A unary call of grpc-js. If a handler is an async function that rejects, grpc-js never answers the
 * call; here its callback is called exactly once, by the handler's answer or failure.
 */
export class GrpcJsUnaryCall
  extends GrpcJsServerCall<ServerUnaryCall<Buffer, Buffer>>
  implements UnaryServerCall
{
  readonly #callback: sendUnaryData<Buffer>;

  constructor(
    call: ServerUnaryCall<Buffer, Buffer>,
    callback: sendUnaryData<Buffer>,
    connections: Connections,
  ) {
    super(call, connections);
    this.#callback = callback;
  }

  get isAnswerSent(): boolean {
    return isAnswerSent(this.call);
  }

  answer(response: Buffer, trailers: AnswerMetadata | undefined): void {
    this.#callback(null, response, trailers && toGrpcJsMetadata(trailers));
  }

  fail(status: GrpcStatus): void {
    this.#callback(toGrpcJsStatus(status));
  }
}

/** A server-streaming call of grpc-js. */
export class GrpcJsStreamCall
  extends GrpcJsServerCall<ServerWritableStream<Buffer, Buffer>>
  implements StreamServerCall
{
  write(message: Buffer): boolean {
    return this.call.write(message);
  }

  whenDrained(listener: () => void): void {
    this.call.once('drain', listener);
  }

  end(): void {
    this.call.end();
  }

  fail(status: GrpcStatus): void {
    this.call.emit('error', toGrpcJsStatus(status));
  }
}

class GrpcJsMetadata implements CallMetadata {
  readonly #metadata: Metadata;

  constructor(metadata: Metadata) {
    this.#metadata = metadata;
  }

  first(name: string): string | undefined {
    const [value] = this.#metadata.get(name);
    return typeof value === 'string' ? value : undefined;
  }

  binary(name: string): Buffer | undefined {
    const [value] = this.#metadata.get(name);
    return Buffer.isBuffer(value) ? value : undefined;
  }

  names(): readonly string[] {
    return Object.keys(this.#metadata.getMap());
  }
}
