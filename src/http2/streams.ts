import type { ConnectionBounds } from './bounds';
import { ClosedStreams } from './closed-streams';
import type { FloodGuard } from './flood-guard';
import type { Frame } from './frame-reader';
import { type ArrivingBlock, HeaderBlocks } from './header-blocks';
import { type FieldList, HpackDecoder } from './hpack-decoder';
import type { HuffmanDecoder } from './huffman';
import { dependencyOf, isPriority, toNumber, withoutPadding, withoutPriority } from './payloads';
import { CODE, ConnectionError, FLAG, FRAME, MOST_31_BITS } from './protocol';
import { ReceiveWindow } from './receive-window';
import { areTrailers, RequestHeads } from './request-head';
import type { Sender } from './sender';
import { ServerStream, type StreamListener, type StreamOwner } from './server-stream';
import { FIRST_PEER_SETTINGS } from './settings';
import { StreamTable } from './stream-table';

/** The parts of a connection that its streams use. */
export interface StreamsOptions {
  readonly bounds: ConnectionBounds;
  readonly huffman: HuffmanDecoder;
  readonly sender: Sender;
  readonly guard: FloodGuard;
  /** Called for a new request. What it returns is told of all that comes after the head. */
  readonly onRequest: (stream: ServerStream) => StreamListener;
  /** Called when the last stream has closed. */
  readonly onIdle: () => void;
}

/** The streams of a connection, and the frames that concern one of them. */
export class Streams implements StreamOwner {
  readonly sender: Sender;
  readonly streamWindowBytes: number;
  /** See {@link StreamOwner}. */
  peerWindow = FIRST_PEER_SETTINGS.initialWindowSize;
  /** The most streams that the client may have open. */
  maxStreams: number;
  /** Streams with an id above this one are ignored, after GOAWAY (RFC 9113, 6.8). */
  lastAcceptedId = MOST_31_BITS;
  readonly #options: StreamsOptions;
  readonly #open = new StreamTable<ServerStream>();
  readonly #blocks: HeaderBlocks;
  readonly #decoder: HpackDecoder;
  readonly #window: ReceiveWindow;
  /** Their answers have ended and their requests have not, in this turn. */
  #answeredEarly: ServerStream[] = [];
  readonly #closed: ClosedStreams;
  readonly #heads = new RequestHeads();
  #piece = 0;
  #lastId = 0;

  constructor(options: StreamsOptions) {
    const { bounds, sender, huffman, guard } = options;
    this.#options = options;
    this.sender = sender;
    this.streamWindowBytes = bounds.streamWindowBytes;
    this.maxStreams = bounds.maxStreams;
    this.#closed = new ClosedStreams(sender.outbox, guard);
    this.#window = new ReceiveWindow(bounds.connectionWindowBytes);
    this.#decoder = new HpackDecoder(huffman, bounds.maxHeaderListBytes);
    this.#blocks = new HeaderBlocks(bounds.maxHeaderListBytes);
  }

  /** The number of open streams. */
  get size(): number {
    return this.#open.size;
  }

  /** The highest id that the client has used. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Call this for each piece of data that is read from the socket. */
  beginPiece(): void {
    this.#piece += 1;
  }

  /** While a header block is incomplete, only its next part may arrive (RFC 9113, 4.3). */
  assertInOrder({ type, streamId }: Frame): void {
    const { arriving } = this.#blocks;
    const isNext = type === FRAME.continuation && streamId === arriving?.streamId;
    if (isNext || (arriving === undefined && type !== FRAME.continuation)) return;
    throw new ConnectionError(
      CODE.protocolError,
      arriving === undefined
        ? 'CONTINUATION without a header block'
        : `a frame of type ${type} within the header block of stream ${arriving.streamId}`,
    );
  }

  /** HEADERS (RFC 9113, 6.2). */
  receiveHeaders(frame: Frame): void {
    const { streamId, flags } = frame;
    if (streamId % 2 === 0) {
      throw new ConnectionError(CODE.protocolError, `HEADERS on stream ${streamId}`);
    }
    const payload = withoutPadding(frame);
    const dependsOnItself = dependencyOf(payload, flags) === streamId;
    const arriving = { streamId, isEnd: (flags & FLAG.endStream) !== 0, dependsOnItself };
    const block = this.#blocks.begin(arriving, withoutPriority(payload, flags), flags);
    if (block !== undefined) this.#receiveBlock(arriving, block);
  }

  /** CONTINUATION (RFC 9113, 6.10). */
  receiveContinuation({ payload, flags }: Frame): void {
    const { arriving } = this.#blocks;
    const block = this.#blocks.continue(payload, flags);
    if (block !== undefined && arriving !== undefined) this.#receiveBlock(arriving, block);
  }

  /** DATA (RFC 9113, 6.1). Padding counts for the windows. */
  receiveData(frame: Frame): void {
    const { streamId, flags, payload } = frame;
    const isEnd = (flags & FLAG.endStream) !== 0;
    if (!this.#window.receive(payload.length)) {
      throw new ConnectionError(CODE.flowControlError, 'more DATA than the connection may send');
    }
    const content = withoutPadding(frame);
    if (content.length === 0 && !isEnd) this.#options.guard.countControlFrame();
    const stream = this.#find(streamId, 'DATA');
    if (stream?.window === undefined) {
      this.#openConnection(payload.length);
      this.#refuseLate(streamId, stream);
    } else if (!stream.window.receive(payload.length)) {
      this.#openConnection(payload.length);
      this.#fail(stream, CODE.flowControlError);
    } else {
      if (content.length < payload.length) stream.consume(payload.length - content.length);
      const isTaken = stream.receive(content);
      if (!isTaken) this.#openConnection(content.length);
      const isRight = isTaken && (!isEnd || stream.receiveEnd(undefined));
      if (!isRight) this.#fail(stream, CODE.protocolError);
    }
  }

  /** RST_STREAM (RFC 9113, 6.4). */
  receiveReset(frame: Frame): void {
    const code = toNumber(frame);
    const stream = this.#find(frame.streamId, 'RST_STREAM');
    if (stream === undefined) {
      this.#options.guard.countControlFrame();
      return;
    }
    if (stream.openedIn === this.#piece) this.#options.guard.countHastyReset();
    stream.close(code);
  }

  /** PRIORITY, which changes nothing (RFC 9113, 5.3.2 and 6.3). */
  receivePriority({ streamId, payload }: Frame): void {
    if (streamId === 0) throw new ConnectionError(CODE.protocolError, 'PRIORITY on stream 0');
    if (!isPriority(payload)) this.#failById(streamId, CODE.frameSizeError);
    else if (dependencyOf(payload, FLAG.priority) === streamId) {
      this.#failById(streamId, CODE.protocolError);
    }
  }

  /** WINDOW_UPDATE of a stream (RFC 9113, 6.9). */
  openWindow(streamId: number, bytes: number): void {
    const stream = this.#find(streamId, 'WINDOW_UPDATE');
    if (stream === undefined) return;
    if (bytes === 0) this.#fail(stream, CODE.protocolError);
    else if (!stream.output.open(bytes)) this.#fail(stream, CODE.flowControlError);
  }

  /** SETTINGS_INITIAL_WINDOW_SIZE of the peer changes all windows (RFC 9113, 6.9.2). */
  setPeerWindow(bytes: number): void {
    const change = bytes - this.peerWindow;
    this.peerWindow = bytes;
    if (change === 0) return;
    for (const stream of this.#open.all()) {
      if (stream.output.open(change)) continue;
      throw new ConnectionError(CODE.flowControlError, 'SETTINGS make a window too large');
    }
  }

  /**
   * Tells clients whose calls are answered to send no more of them (RFC 9113, 8.1). Call this before
   * writing: most requests end in the same piece of data, and then nothing has to be told.
   */
  stopAnswered(): void {
    const streams = this.#answeredEarly;
    if (streams.length === 0) return;
    this.#answeredEarly = [];
    for (const stream of streams) stream.reset(CODE.noError);
  }

  /** Ends all streams, because the connection has ended. */
  closeAll(): void {
    for (const stream of this.#open.all()) stream.close(CODE.cancel);
  }

  /** See {@link StreamOwner}. */
  sendReset({ id }: ServerStream, code: number): void {
    this.#closed.reset(id, code);
  }

  /** See {@link StreamOwner}. */
  consumed(stream: ServerStream, bytes: number): void {
    this.#openConnection(bytes);
    if (stream.isClosed || stream.window === undefined) return;
    const step = stream.window.consume(bytes);
    if (step > 0) this.sender.outbox.addNumber(FRAME.windowUpdate, stream.id, step);
  }

  /** See {@link StreamOwner}. */
  answered(): void {
    this.#options.guard.answered();
  }

  /** See {@link StreamOwner}. */
  answeredEarly(stream: ServerStream): void {
    this.#answeredEarly.push(stream);
  }

  /** See {@link StreamOwner}. */
  closed(stream: ServerStream): void {
    this.#open.delete(stream);
    if (this.#open.size === 0) this.#options.onIdle();
  }

  /** A complete block. It is decoded in any case, because it may change the table (RFC 9113, 4.3). */
  #receiveBlock(arriving: ArrivingBlock, block: Buffer): void {
    const list = this.#decoder.decode(block);
    const { streamId } = arriving;
    if (streamId > this.lastAcceptedId) {
      this.#options.guard.countControlFrame();
      return;
    }
    if (streamId > this.#lastId) {
      this.#lastId = streamId;
      this.#begin(arriving, list);
      return;
    }
    const stream = this.#open.get(streamId);
    if (stream === undefined) this.#closed.receiveHeaders(streamId);
    else if (stream.isRequestEnded) this.#fail(stream, CODE.streamClosed);
    else {
      const isRight = arriving.isEnd && !list.isTooLong && areTrailers(list);
      if (!isRight || !stream.receiveEnd(list)) this.#fail(stream, CODE.protocolError);
    }
  }

  #begin({ streamId: id, isEnd, dependsOnItself }: ArrivingBlock, list: FieldList): void {
    const refusal = this.#refusalOf(list);
    const head = refusal === undefined ? this.#heads.of(list) : undefined;
    if (head === undefined || dependsOnItself) {
      this.#failById(id, refusal ?? CODE.protocolError);
      return;
    }
    const stream = new ServerStream(this, { id, head, endsWithHead: isEnd, openedIn: this.#piece });
    this.#open.add(stream);
    stream.tell(this.#options.onRequest(stream));
    if (!isEnd || stream.isClosed) return;
    if (!stream.receiveEnd(undefined)) this.#fail(stream, CODE.protocolError);
  }

  #refusalOf({ isTooLong }: FieldList): number | undefined {
    if (isTooLong) return CODE.enhanceYourCalm;
    return this.#open.size >= this.maxStreams ? CODE.refusedStream : undefined;
  }

  /** The open stream of an id; undefined if it is closed. */
  #find(streamId: number, what: string): ServerStream | undefined {
    if (streamId !== 0 && streamId <= this.#lastId && streamId % 2 === 1) {
      return this.#open.get(streamId);
    }
    // Ignored streams were opened by the client, but not here.
    if (streamId > this.lastAcceptedId) return undefined;
    throw new ConnectionError(CODE.protocolError, `${what} on stream ${streamId}, which is idle`);
  }

  /** DATA on a stream whose request is complete (RFC 9113, 5.1). */
  #refuseLate(streamId: number, stream: ServerStream | undefined): void {
    if (stream !== undefined) this.#fail(stream, CODE.streamClosed);
    else if (streamId <= this.lastAcceptedId) this.#closed.receiveData(streamId);
  }

  /** Resets a stream for a fault of the client's (RFC 9113, 5.4.2). */
  #fail(stream: ServerStream, code: number): void {
    this.#options.guard.countHastyReset();
    stream.reset(code);
  }

  #failById(streamId: number, code: number): void {
    const stream = this.#open.get(streamId);
    if (stream !== undefined) {
      this.#fail(stream, code);
      return;
    }
    // RST_STREAM must not be sent for it (RFC 9113, 6.4).
    if (streamId > this.#lastId) throw new ConnectionError(code, `a fault on idle ${streamId}`);
    this.#options.guard.countHastyReset();
    this.#closed.reset(streamId, code);
  }

  #openConnection(bytes: number): void {
    const step = this.#window.consume(bytes);
    if (step > 0) this.sender.outbox.addNumber(FRAME.windowUpdate, 0, step);
  }
}
