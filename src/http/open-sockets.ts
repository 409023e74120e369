import type { Server } from 'node:http';
import { Server as TcpServer, type Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

import { Handshakes } from '../servers/handshakes';

/** How long connections may still bring a request once the server takes no new ones. */
const LINGER_MS = 250;

/**
 * Ends the connections of a server without losing a request. Node closes idle connections the
 * moment a server is closed: a request that is on its way over one is then lost, and under load
 * that is one on every connection. And it passes over connections that have not carried a request
 * yet, for which a stop would wait until its limit.
 */
export class OpenSockets {
  readonly #server: Server;
  readonly #handshakes = new Handshakes();
  /** How many requests each connection carries. */
  readonly #requests = new Map<Socket, number>();

  constructor(server: Server) {
    this.#server = server;
    this.#handshakes.watch(server);
    // Over TLS requests come with another socket than the one that was accepted.
    server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#requests.set(socket, 0);
      socket.once('close', () => this.#requests.delete(socket));
    });
    server.on('request', ({ socket }, response) => {
      this.#count(socket, 1);
      response.once('close', () => {
        this.#count(socket, -1);
      });
    });
  }

  /**
   * Takes no new connections. Those that wait to be accepted are taken first: they would be reset.
   * To be called before anybody is told to close, as whoever is told comes back at once.
   */
  async stopListening(): Promise<void> {
    await nextTurn();
    // Only TCP's part of http.Server's close, which would close the idle connections too.
    TcpServer.prototype.close.call(this.#server);
  }

  /** Serves what the open connections bring for {@link LINGER_MS}, then closes those that carry nothing. */
  async drain(): Promise<void> {
    if (this.#requests.size + this.#handshakes.count > 0) await pause(LINGER_MS);
    this.#handshakes.end();
    for (const [socket, requests] of this.#requests) if (requests === 0) socket.destroy();
  }

  #count(socket: Socket, change: 1 | -1): void {
    const requests = this.#requests.get(socket);
    if (requests !== undefined) this.#requests.set(socket, requests + change);
  }
}
