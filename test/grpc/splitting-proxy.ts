import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** How a proxy cuts what it passes on. Called for each piece, with how much has passed before it. */
export type PieceSize = (passedBytes: number) => number;

/** Every byte in a segment of its own. */
export const SINGLE_BYTES: PieceSize = () => 1;

/**
 * A proxy that passes bytes on in other pieces than it got them. What arrives while a piece is
 * written is joined, and cut anew. Each piece is written for itself, without Nagle's delay, and so is
 * a TCP segment.
 */
export class SplittingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param port of the server behind it, on this machine */
  constructor(port: number, pieceSize: PieceSize) {
    this.#server = createServer((client) => {
      const server = connect(port, '127.0.0.1');
      for (const socket of [client, server]) this.#keep(socket);
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        void passOn(from, to, pieceSize);
        from.once('close', () => to.destroy());
      }
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    // The other side is closed with it.
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

async function passOn(from: Socket, to: Socket, pieceSize: PieceSize): Promise<void> {
  let passed = 0;
  for (;;) {
    const bytes = from.read() as Buffer | null;
    if (bytes === null) {
      if (from.readableEnded || from.destroyed) break;
      await nextReadable(from);
      continue;
    }
    for (let at = 0; at < bytes.length && to.writable;) {
      const piece = bytes.subarray(at, at + pieceSize(passed));
      await new Promise((resolve) => to.write(piece, resolve));
      at += piece.length;
      passed += piece.length;
    }
  }
  to.end();
}

function nextReadable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      for (const event of ['readable', 'end', 'close']) socket.off(event, settle);
      resolve();
    };
    for (const event of ['readable', 'end', 'close']) socket.on(event, settle);
  });
}
