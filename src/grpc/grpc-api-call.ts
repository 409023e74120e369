import type { Metadata, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';

import type { ApiCall } from '../api/api-observer';
import type { GrpcRow } from './grpc-method';

type Call = ServerUnaryCall<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>;

/**
 * A gRPC call in the form that the observer needs. Peer and headers are looked up on access, so
 * that a call costs nothing for values that are not used.
 */
export class GrpcApiCall implements ApiCall {
  readonly protocol = 'grpc';
  readonly verb = 'POST';
  readonly route = undefined;
  readonly method: GrpcRow;
  readonly requestBytes: number;
  readonly #call: Call;

  constructor(method: GrpcRow, call: Call) {
    this.method = method;
    this.requestBytes = call.request.length;
    this.#call = call;
  }

  get path(): string {
    return this.method.grpcPath;
  }

  get target(): string {
    return this.path;
  }

  get remoteAddress(): string | undefined {
    return this.#peer()[0];
  }

  get remotePort(): number | undefined {
    const [, port] = this.#peer();
    return port === undefined ? undefined : Number(port);
  }

  header(name: string): string | undefined {
    return firstValue(this.#call.metadata, name);
  }

  headerNames(): readonly string[] {
    return Object.keys(this.#call.metadata.getMap());
  }

  binary(name: string): Buffer | undefined {
    const [value] = this.#call.metadata.get(name);
    return Buffer.isBuffer(value) ? value : undefined;
  }

  #peer(): readonly (string | undefined)[] {
    return /^(.*):(\d+)$/.exec(this.#call.getPeer())?.slice(1) ?? [];
  }
}

/** The first text value of a metadata key. A binary value counts as absent. */
export function firstValue(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key)[0];
  return typeof value === 'string' ? value : undefined;
}
