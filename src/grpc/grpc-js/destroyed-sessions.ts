import type { Connection } from '../connection';

/**
 * Closes the sockets of destroyed sessions. grpc-js destroys the session of a client that does not
 * answer its keepalive PING. node:http2 then waits for a write that is under way, and a client that
 * does not read never lets it end: its socket, and all that is kept for it, would stay for ever.
 *
 * A socket is closed if its session was destroyed at two looks in a row. The time between them is for
 * answers that the kernel has yet to accept.
 */
export class DestroyedSessions {
  #seen = new WeakSet<object>();

  /** Looks at the open connections. */
  look(connections: Iterable<Pick<Connection, 'session' | 'socket'>>): void {
    const seen = new WeakSet<object>();
    for (const { session, socket } of connections) {
      if (!session.destroyed) continue;
      if (this.#seen.has(session)) socket.destroy();
      else seen.add(session);
    }
    this.#seen = seen;
  }
}
