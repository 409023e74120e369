import { once } from 'node:events';
import { connect } from 'node:net';

import { TextServer } from '../text-server';
import type { FuzzCase } from './fuzz-run';

/** How long a server may take to close a connection whose client has ended, in milliseconds. */
const WITHIN_MS = 30_000;

/** Sends cases to one server over sockets. */
export class SocketRun {
  readonly #server = new TextServer();
  #port = 0;

  async start(): Promise<void> {
    this.#port = await this.#server.start();
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }

  /** Sends a case and ends. The server has to close the connection, and to keep nothing of it. */
  async findFaults({ frames }: FuzzCase): Promise<readonly string[]> {
    const socket = connect(this.#port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    socket.end(Buffer.concat(frames));
    const timeout = AbortSignal.timeout(WITHIN_MS);
    try {
      await once(socket, 'close', { signal: timeout });
    } catch {
      socket.destroy();
      return ['a socket that hangs'];
    }
    return this.#server.connections.size > 1 ? ['connections that are left'] : [];
  }
}
