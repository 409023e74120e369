import type { ApiCall } from '../api/api-observer';
import type { GrpcRow } from './grpc-method';
import type { ServerCall } from './server-call';

/**
 * A gRPC call in the form that the observer needs. Peer and metadata are looked up on access, so
 * that a call costs nothing for values that are not used.
 */
export class GrpcApiCall implements ApiCall {
  readonly protocol = 'grpc';
  readonly verb = 'POST';
  readonly route = undefined;
  readonly method: GrpcRow;
  readonly requestBytes: number;
  readonly #call: ServerCall;

  constructor(method: GrpcRow, call: ServerCall) {
    this.method = method;
    this.requestBytes = call.requestBytes;
    this.#call = call;
  }

  get path(): string {
    return this.method.grpcPath;
  }

  get target(): string {
    return this.path;
  }

  get remoteAddress(): string | undefined {
    return this.#call.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#call.remotePort;
  }

  header(name: string): string | undefined {
    return this.#call.metadata.first(name);
  }

  headerNames(): readonly string[] {
    return this.#call.metadata.names();
  }

  binary(name: string): Buffer | undefined {
    return this.#call.metadata.binary(name);
  }
}
