import type { Socket } from 'node:net';

import type { ConnectionBounds } from './bounds';
import type { HuffmanDecoder } from './huffman';
import { CODE, ConnectionError } from './protocol';
import { ServerConnection } from './server-connection';
import type { ServerStream, StreamListener } from './server-stream';

/**
 * Bytes that the kernel has not accepted at which a connection is read no more and sends no content.
 * It goes on once the kernel has taken all of them.
 */
const MOST_UNSENT_BYTES = 256 * 1024;

/** How long clients may take for what, in milliseconds. */
export interface Patience {
  /** To read the last answers. */
  readonly lastAnswersMs: number;
  /** To send anything. Then it is asked for a sign of life. */
  readonly idleMs: number;
  /** To answer that. */
  readonly answerMs: number;
  /** To make room for answers. It is not read meanwhile, so that it can't give a sign of life. */
  readonly unreadMs: number;
}

/** A dead connection is found after 15 s, and a client that reads nothing after a minute. */
export const DEFAULT_PATIENCE: Patience = {
  lastAnswersMs: 10_000,
  idleMs: 10_000,
  answerMs: 5000,
  unreadMs: 60_000,
};

/** The parts of a {@link SocketConnection}. */
export interface SocketConnectionOptions {
  /** A plain socket, one of TLS after its handshake, or of a unix path. */
  readonly socket: Socket;
  readonly huffman: HuffmanDecoder;
  readonly bounds?: ConnectionBounds;
  readonly patience?: Patience;
  readonly onRequest: (stream: ServerStream) => StreamListener;
  /** Called once, after all streams were closed. The error is undefined for a proper end. */
  readonly onClose: (error: ConnectionError | undefined) => void;
}

/**
 * Moves the bytes between a socket and its {@link ServerConnection}: one write in each turn of the
 * event loop, with all answers of that turn. A client that does not read is not read either.
 */
export class SocketConnection {
  readonly protocol: ServerConnection;
  readonly socket: Socket;
  readonly #onClose: (error: ConnectionError | undefined) => void;
  #isScheduled = false;
  readonly #patience: Patience;
  /** When the kernel took no more; undefined while it does. */
  #heldAtMs: number | undefined;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;
  #heardAtMs = 0;
  #isAsked = false;

  constructor(options: SocketConnectionOptions) {
    const { socket, onRequest, onClose, patience = DEFAULT_PATIENCE, ...rest } = options;
    this.socket = socket;
    this.#patience = patience;
    this.#onClose = onClose;
    this.protocol = new ServerConnection({
      ...rest,
      now: () => performance.now(),
      listener: {
        request: onRequest,
        outputReady: () => {
          this.#writeLater();
        },
        closed: (error) => {
          this.#end(error);
        },
      },
    });
    // The first data is the preface, for which there is as much time as for a sign of life.
    this.#lookLater(patience.idleMs + patience.answerMs);
    this.#listen();
  }

  /** True while the kernel has not accepted all that is to be sent. */
  get hasUnsent(): boolean {
    return this.#isScheduled || this.socket.writableLength > 0;
  }

  /** Sends what there is, and closes the socket whether the client reads it or not. */
  cut(code: number = CODE.enhanceYourCalm): void {
    this.protocol.fail(new ConnectionError(code, 'cut'));
    this.#write();
    this.socket.destroy();
  }

  #listen(): void {
    const { socket, protocol } = this;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      this.#heardAtMs = performance.now();
      this.#isAsked = false;
      protocol.receive(bytes);
    });
    socket.on('end', () => {
      protocol.lose();
    });
    // The socket closes after an error.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(this.#timer);
      protocol.lose();
    });
    socket.on('drain', () => {
      this.#hold(false);
    });
  }

  /** Writes at the end of this turn, after what else of it was read is answered. */
  #writeLater(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#write();
    });
  }

  #write(): void {
    const buffers = this.protocol.takeOutput();
    const { socket } = this;
    if (buffers.length > 0 && socket.writable) {
      socket.write(buffers.length === 1 ? (buffers[0] ?? '') : Buffer.concat(buffers));
    }
    if (this.#isOver) socket.end();
    else if (socket.writableLength > MOST_UNSENT_BYTES) this.#hold(true);
  }

  #hold(isHeld: boolean): void {
    if ((this.#heldAtMs !== undefined) === isHeld) return;
    const nowMs = performance.now();
    this.#heldAtMs = isHeld ? nowMs : undefined;
    // Who reads answers is alive.
    this.#heardAtMs = nowMs;
    this.#isAsked = false;
    this.protocol.holdContent(isHeld);
    if (isHeld) this.socket.pause();
    else this.socket.resume();
  }

  /** Nothing more is answered. What was is still sent, to a client that reads it in time. */
  #end(error: ConnectionError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.socket.resume();
    this.#writeLater();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.socket.destroy();
    }, this.#patience.lastAnswersMs).unref();
    this.#onClose(error);
  }

  /** Finds clients that are silent: they never sent a preface, or are gone without a word. */
  #lookAfter(): void {
    const leftMs = this.#heldAtMs === undefined ? this.#leftToSpeak() : this.#leftToRead();
    if (leftMs <= 0) {
      this.socket.destroy();
      return;
    }
    this.#lookLater(Math.min(leftMs, this.#patience.idleMs));
  }

  #lookLater(afterMs: number): void {
    this.#timer = setTimeout(() => {
      // After what has arrived was read, which may be much if the process was stopped for a while.
      setImmediate(() => {
        if (!this.#isOver) this.#lookAfter();
      });
    }, afterMs).unref();
  }

  /** How long a client has left for a sign of life, in milliseconds. Asks it for one if it is time. */
  #leftToSpeak(): number {
    const { idleMs, answerMs } = this.#patience;
    if (this.#heardAtMs === 0) return 0;
    const silentMs = performance.now() - this.#heardAtMs;
    if (silentMs < idleMs) return idleMs - silentMs;
    if (this.#isAsked) return idleMs + answerMs - silentMs;
    this.#isAsked = true;
    this.protocol.ping(() => undefined);
    return answerMs;
  }

  #leftToRead(): number {
    return (this.#heldAtMs ?? 0) + this.#patience.unreadMs - performance.now();
  }
}
