import type { Server } from 'node:http';
import { Server as TcpServer, type Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

import { Handshakes } from '../servers/handshakes';

/**
 * How long open connections may send another request after the server stopped listening, in
 * milliseconds.
 */
const LINGER_MS = 250;

/**
 * Closes the connections of a server without losing a request. Node closes idle connections as soon
 * as a server is closed, which loses requests that are on their way. Under load, that is one
 * request per connection. Node also ignores connections that have not carried a request yet, so
 * that a shutdown would wait for them until its time limit.
 */
export class OpenSockets {
  readonly #server: Server;
  readonly #handshakes = new Handshakes();
  readonly #isIdle: (socket: Socket) => boolean;
  readonly #open = new Set<Socket>();

  /** @param isIdle true for a connection without an open request */
  constructor(server: Server, isIdle: (socket: Socket) => boolean) {
    this.#server = server;
    this.#isIdle = isIdle;
    this.#handshakes.watch(server);
    // Over TLS, requests arrive on another socket object than the one that was accepted.
    server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  /**
   * Stops listening. Connections that wait to be accepted are accepted first, because the system
   * would reset them. Call this before clients are told to close their connections: they reconnect
   * at once.
   */
  async stopListening(): Promise<void> {
    await nextTurn();
    // Calls only the TCP part of http.Server's close. The HTTP part would close idle connections.
    TcpServer.prototype.close.call(this.#server);
  }

  /**
   * Serves further requests on open connections for {@link LINGER_MS}, then closes connections
   * without a request.
   */
  async drain(): Promise<void> {
    if (this.#open.size + this.#handshakes.count > 0) await pause(LINGER_MS);
    this.#handshakes.end();
    for (const socket of this.#open) if (this.#isIdle(socket)) socket.destroy();
  }
}
