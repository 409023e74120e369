import { CODE, ConnectionError } from '../../http2/protocol';
import type { SocketConnection } from '../../http2/socket-connection';
import type { CallSession } from '../call-session';

const EMPTY = Buffer.alloc(0);

/** One of our own HTTP/2 connections, in the form in which calls need it. */
export class LeanSession implements CallSession {
  readonly #connection: SocketConnection;

  constructor(connection: SocketConnection) {
    this.#connection = connection;
  }

  get closed(): boolean {
    return this.destroyed || this.#connection.protocol.isShuttingDown;
  }

  get destroyed(): boolean {
    return this.#connection.protocol.isClosed;
  }

  goaway(code: number = CODE.noError): void {
    const { protocol } = this.#connection;
    if (code === CODE.noError) protocol.shutDown();
    else protocol.fail(new ConnectionError(code, 'the connection costs too much'));
  }

  close(): void {
    this.#connection.protocol.refuseStreams();
  }

  settings(
    { maxConcurrentStreams }: { readonly maxConcurrentStreams: number },
    onAcknowledged: () => void,
  ): void {
    this.#connection.protocol.setMaxStreams(maxConcurrentStreams, onAcknowledged);
  }

  ping(answered: (error: null, durationMs: number, payload: Buffer) => void): boolean {
    if (this.destroyed) return false;
    this.#connection.protocol.ping(() => {
      answered(null, 0, EMPTY);
    });
    return true;
  }
}
