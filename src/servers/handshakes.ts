import type { Server, Socket } from 'node:net';
import { Server as TlsServer, type TLSSocket } from 'node:tls';

/** How long a client may take for its TLS handshake, in milliseconds: as long as for its headers. */
const HANDSHAKE_MS = 10_000;

/**
 * The connections to TLS servers on which the handshake is not done. Nobody else knows them: node:http and
 * node:http2 see a connection when it is secure, and would wait for the others until they are gone.
 * Each is cut after {@link HANDSHAKE_MS}, however slowly bytes of it come.
 */
export class Handshakes {
  readonly #pending = new Map<Socket, NodeJS.Timeout>();
  readonly #known = new WeakSet<Server>();

  /** Watches a server from now on; one without TLS, or that is watched already, is left alone. */
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

  /** How many there are. */
  get count(): number {
    return this.#pending.size;
  }

  /** Cuts all of them: whoever has not begun to speak loses nothing. */
  end(): void {
    for (const socket of this.#pending.keys()) socket.destroy();
  }

  #forget(socket: Socket | undefined): void {
    if (socket === undefined) return;
    clearTimeout(this.#pending.get(socket));
    this.#pending.delete(socket);
  }
}

/** Node says it in a private field only; test/servers/handshakes.test.ts fails where it moves. */
function acceptedSocketOf(secure: TLSSocket): Socket | undefined {
  return (secure as unknown as { readonly _parent?: Socket })._parent;
}
