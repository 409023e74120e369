import { type ConnectionBounds, DEFAULT_BOUNDS } from './bounds';
import { ControlFrames } from './control-frames';
import { FloodGuard, SETTINGS_WEIGHT } from './flood-guard';
import { type Frame, FrameReader } from './frame-reader';
import type { HuffmanDecoder } from './huffman';
import { Outbox } from './outbox';
import {
  CODE,
  ConnectionError,
  FIRST_WINDOW_BYTES,
  FLAG,
  FRAME,
  MOST_31_BITS,
  PREFACE,
  SETTING,
} from './protocol';
import { Sender } from './sender';
import type { ServerStream, StreamListener } from './server-stream';
import { Streams } from './streams';

/** Receives the events of a connection, to serve it. */
export interface ConnectionListener {
  /** A request has begun. What is returned is told of all that comes after its head. */
  request(stream: ServerStream): StreamListener;
  /** There is something to write, after there was nothing: see {@link ServerConnection.takeOutput}. */
  outputReady(): void;
  /**
   * The connection is over: write what there is to write, and end the socket.
   *
   * @param error undefined if it ended as it should
   */
  closed(error: ConnectionError | undefined): void;
}

/** The parts of a {@link ServerConnection}. */
export interface ServerConnectionOptions {
  readonly listener: ConnectionListener;
  /** All connections share one. */
  readonly huffman: HuffmanDecoder;
  readonly bounds?: ConnectionBounds;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

/**
 * The server's side of an HTTP/2 connection (RFC 9113), as a state machine: bytes go in, and calls of
 * a listener and bytes come out. It knows no socket, timer or request; a socket's owner
 * ({@link SocketConnection}) moves the bytes.
 */
export class ServerConnection {
  readonly #listener: ConnectionListener;
  readonly #guard: FloodGuard;
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #streams: Streams;
  readonly #control: ControlFrames;
  readonly #frames: FrameReader;
  #prefaceLength = 0;
  #hasSettings = false;
  #isClosed = false;
  #isShuttingDown = false;

  constructor({ listener, huffman, bounds = DEFAULT_BOUNDS, now }: ServerConnectionOptions) {
    this.#listener = listener;
    this.#guard = new FloodGuard(bounds, now);
    this.#outbox = new Outbox(() => {
      listener.outputReady();
    });
    this.#sender = new Sender({
      outbox: this.#outbox,
      maxQueuedBytes: bounds.maxQueuedBytes,
      onOverflow: () => {
        this.fail(new ConnectionError(CODE.enhanceYourCalm, 'answers that are not read'));
      },
    });
    this.#streams = new Streams({
      bounds,
      huffman,
      sender: this.#sender,
      guard: this.#guard,
      onRequest: (stream) => listener.request(stream),
      onIdle: () => {
        this.#closeIfDone();
      },
    });
    this.#control = new ControlFrames({
      outbox: this.#outbox,
      sender: this.#sender,
      streams: this.#streams,
    });
    this.#frames = new FrameReader((frame) => {
      if (!this.#isClosed) this.#receiveFrame(frame);
    });
    this.#begin(bounds);
  }

  /** True once nothing is read or answered any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** True once the client was told to begin no more streams. */
  get isShuttingDown(): boolean {
    return this.#isShuttingDown;
  }

  /** The number of open streams. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /**
   * Reads bytes from the socket. Errors end the connection, and are never thrown: a fault of whoever
   * serves one connection must not end the process, with all others.
   */
  receive(bytes: Buffer): void {
    if (this.#isClosed) return;
    this.#streams.beginPiece();
    try {
      const rest = this.#readPreface(bytes);
      if (rest.length > 0) this.#frames.read(rest);
    } catch (error) {
      this.fail(
        error instanceof ConnectionError
          ? error
          : new ConnectionError(CODE.internalError, 'a fault of the server', { cause: error }),
      );
    }
  }

  /** Takes what is to be written. */
  takeOutput(): readonly Buffer[] {
    if (!this.#isClosed) this.#streams.stopAnswered();
    return this.#outbox.take();
  }

  /** Stops sending content while the socket takes no more. Other frames are not held back. */
  holdContent(isHeld: boolean): void {
    if (!this.#isClosed) this.#sender.hold(isHeld);
  }

  /** Ends the connection at once, with a GOAWAY (RFC 9113, 5.4.1). */
  fail(error: ConnectionError): void {
    if (this.#isClosed) return;
    this.#control.sendGoaway(this.#streams.lastId, error.code);
    this.#close(error);
  }

  /** The socket has ended. */
  lose(): void {
    if (!this.#isClosed) this.#close(undefined);
  }

  /** Asks the client for a sign of life (RFC 9113, 6.7). Answers come in the order of the calls. */
  ping(onAnswer: () => void): void {
    if (!this.#isClosed) this.#control.sendPing(onAnswer);
  }

  /**
   * Changes how many streams the client may have open. A lower limit counts once the client has
   * acknowledged it: until then it may not know of it (RFC 9113, 6.5.3).
   */
  setMaxStreams(count: number, onAcknowledged?: () => void): void {
    this.#streams.maxStreams = Math.max(count, this.#streams.maxStreams);
    this.#control.sendSettings([[SETTING.maxConcurrentStreams, count]], () => {
      this.#streams.maxStreams = count;
      onAcknowledged?.();
    });
  }

  /**
   * Asks the client to begin no more streams, in two steps (RFC 9113, 6.8): streams that are on their
   * way are still accepted, until the client answers or {@link refuseStreams} is called. The
   * connection ends with its last stream.
   */
  shutDown(): void {
    if (this.#isClosed || this.#isShuttingDown) return;
    this.#isShuttingDown = true;
    this.#control.sendGoaway(MOST_31_BITS, CODE.noError);
    // Its answer shows that the client has read both.
    this.#control.sendPing(() => {
      this.refuseStreams();
    });
  }

  /** The second step of a shutdown. */
  refuseStreams(): void {
    if (this.#isClosed || this.#streams.lastAcceptedId !== MOST_31_BITS) return;
    this.#isShuttingDown = true;
    const { lastId } = this.#streams;
    this.#streams.lastAcceptedId = lastId;
    this.#control.sendGoaway(lastId, CODE.noError);
    this.#closeIfDone();
  }

  /** The preface of a server is its SETTINGS (RFC 9113, 3.4). */
  #begin({
    maxStreams,
    maxHeaderListBytes,
    streamWindowBytes,
    connectionWindowBytes,
  }: ConnectionBounds): void {
    const limit: readonly [number, number] = [SETTING.maxConcurrentStreams, maxStreams];
    this.#control.sendSettings([
      ...(maxStreams === Infinity ? [] : [limit]),
      [SETTING.initialWindowSize, streamWindowBytes],
      [SETTING.maxHeaderListSize, maxHeaderListBytes],
    ]);
    const step = connectionWindowBytes - FIRST_WINDOW_BYTES;
    if (step > 0) this.#outbox.addNumber(FRAME.windowUpdate, 0, step);
  }

  /** The preface of a client (RFC 9113, 3.4). Returns what comes after it. */
  #readPreface(bytes: Buffer): Buffer {
    const at = this.#prefaceLength;
    if (at === PREFACE.length) return bytes;
    const part = bytes.subarray(0, PREFACE.length - at);
    if (!part.equals(PREFACE.subarray(at, at + part.length))) {
      throw new ConnectionError(CODE.protocolError, 'no preface of HTTP/2');
    }
    this.#prefaceLength += part.length;
    return bytes.subarray(part.length);
  }

  #receiveFrame(frame: Frame): void {
    if (!this.#hasSettings && !isSettings(frame)) {
      throw new ConnectionError(CODE.protocolError, 'the first frame is not SETTINGS');
    }
    this.#hasSettings = true;
    this.#streams.assertInOrder(frame);
    switch (frame.type) {
      case FRAME.data:
        this.#streams.receiveData(frame);
        return;
      case FRAME.headers:
        this.#streams.receiveHeaders(frame);
        return;
      case FRAME.continuation:
        this.#streams.receiveContinuation(frame);
        return;
      case FRAME.reset:
        this.#streams.receiveReset(frame);
        return;
      default:
        this.#guard.countControlFrame(isSettings(frame) ? SETTINGS_WEIGHT : 1);
        this.#control.receive(frame);
    }
  }

  #closeIfDone(): void {
    const isDone = this.#streams.lastAcceptedId !== MOST_31_BITS && this.#streams.size === 0;
    if (isDone && !this.#isClosed) this.#close(undefined);
  }

  #close(error: ConnectionError | undefined): void {
    this.#isClosed = true;
    this.#streams.closeAll();
    this.#listener.closed(error);
  }
}

/** SETTINGS that are no acknowledgement. */
function isSettings({ type, flags }: Frame): boolean {
  return type === FRAME.settings && (flags & FLAG.ack) === 0;
}
