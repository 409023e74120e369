import type { IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';

import type { ApiCall } from '../api/api-observer';

/** A call that is passed on, in the form that the observer needs. Its body is not looked at. */
export class PassedApiCall implements ApiCall {
  readonly protocol = 'grpc';
  readonly verb = 'POST';
  readonly method = undefined;
  readonly route = undefined;
  readonly isPassed = true;
  readonly requestBytes = 0;
  readonly #headers: IncomingHttpHeaders;
  readonly #socket: Socket;

  constructor(headers: IncomingHttpHeaders, socket: Socket) {
    this.#headers = headers;
    this.#socket = socket;
  }

  get path(): string {
    return this.#headers[':path'] ?? '';
  }

  get target(): string {
    return this.path;
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  headerNames(): readonly string[] {
    return Object.keys(this.#headers);
  }

  binary(): undefined {
    return undefined;
  }
}
