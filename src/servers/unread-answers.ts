import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * An answer with no more than this left to send counts as read, in bytes. One answer of this size
 * for each connection is a normal cost.
 */
const SMALL_BYTES = 16 * 1024;

/**
 * The answers that clients do not read. If all of them together exceed the limit, the connections
 * that have waited longest are closed. A client that reads is never among them.
 */
export class UnreadAnswers {
  readonly #maxBytes: number;
  /** In the order in which the answers were finished. */
  readonly #sockets = new Set<Socket>();
  /** One listener for all answers, as each call has one. Its `this` is the response. */
  readonly #onFinished: (this: ServerResponse) => void;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    const addIfUnread = (response: ServerResponse): void => {
      this.#addIfUnread(response);
    };
    this.#onFinished = function onFinished() {
      addIfUnread(this);
    };
  }

  /** Watches a finished answer until the kernel has all of it. */
  watch(response: ServerResponse): void {
    response.on('prefinish', this.#onFinished);
  }

  #addIfUnread(response: ServerResponse): void {
    const { socket } = response;
    if (socket === null || socket.writableLength <= SMALL_BYTES) return;
    this.#sockets.add(socket);
    response.on('close', () => this.#sockets.delete(socket));
    this.#cutOldest();
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
