import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * An answer with no more left to send counts as taken, in bytes: one of that size for each connection
 * is what a connection costs anyway.
 */
const SMALL_BYTES = 16 * 1024;

/**
 * The answers that clients have asked for and don't read. Where all of them together are more than
 * the bound, the connections that have kept theirs waiting for longest are cut: whoever reads is never
 * among those.
 */
export class UnreadAnswers {
  readonly #maxBytes: number;
  /** In the order in which they were ended. */
  readonly #sockets = new Set<Socket>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Watches an answer from its end on until the kernel has all of it. */
  watch(response: ServerResponse): void {
    response.once('prefinish', () => {
      const { socket } = response;
      if (socket === null || socket.writableLength <= SMALL_BYTES) return;
      this.#sockets.add(socket);
      response.once('close', () => this.#sockets.delete(socket));
      this.#cutOldest();
    });
  }

  #cutOldest(): void {
    let bytes = 0;
    for (const { writableLength } of this.#sockets) bytes += writableLength;
    for (const socket of this.#sockets) {
      if (bytes <= this.#maxBytes) return;
      bytes -= socket.writableLength;
      this.#sockets.delete(socket);
      socket.destroy();
    }
  }
}
