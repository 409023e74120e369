import type { Server, Socket } from 'node:net';
import { Server as TlsServer, type TLSSocket } from 'node:tls';

/** Time for a TLS handshake in milliseconds, the same as for headers. */
const HANDSHAKE_MS = 10_000;

/**
 * The connections to TLS servers with an unfinished handshake. Nothing else tracks them: node:http
 * and node:http2 see a connection only after the handshake, but wait for unfinished ones at
 * shutdown. Each is closed after {@link HANDSHAKE_MS}, however slowly it sends.
 */
export class Handshakes {
  readonly #pending = new Map<Socket, NodeJS.Timeout>();
  readonly #known = new WeakSet<Server>();

  /**
   * Starts to watch a server. Does nothing for a server without TLS, or one that is watched
   * already.
   */
  watch(server: Server): void {
    if (!(server instanceof TlsServer) || this.#known.has(server)) return;
    this.#known.add(server);
    server.on('connection', (socket: Socket) => {
      const timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
      this.#pending.set(socket, timer);
      socket.once('close', () => {
        this.#forget(socket);
      });
    });
    server.on('secureConnection', (secure: TLSSocket) => {
      this.#forget(acceptedSocketOf(secure));
    });
  }

  /** The number of unfinished handshakes. */
  get count(): number {
    return this.#pending.size;
  }

  /** Closes all of them. Nothing is lost, because no request was sent yet. */
  end(): void {
    for (const socket of this.#pending.keys()) socket.destroy();
  }

  #forget(socket: Socket | undefined): void {
    if (socket === undefined) return;
    clearTimeout(this.#pending.get(socket));
    this.#pending.delete(socket);
  }
}

/**
 * Reads the accepted socket from a private field of Node. test/servers/handshakes.test.ts fails if
 * it changes.
 */
function acceptedSocketOf(secure: TLSSocket): Socket | undefined {
  return (secure as unknown as { readonly _parent?: Socket })._parent;
}
