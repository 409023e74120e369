import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

import type { ByteBudget } from '../servers/byte-budget';
import { isEndedByClient } from '../servers/client-end';
import { setReading } from './socket-handle';
import type { Turn } from './turn';

/**
 * Calls that a client may cancel on one connection before it is asked to open another. nghttp2 cuts a
 * connection, and all calls on it, after a thousand and 33 more each second, and Node 20 has no option
 * for that; but not one that was told to go away. It counts cancels too that cross their answer on the
 * way, of which Node tells nothing: where deadlines pass while answers come, those are up to half of
 * all.
 */
const CANCELS_BEFORE_RETIRING = 250;

/** Cancels, of those that came in time, after which it is cut though it was to go away. */
const CANCELS_BEFORE_CUT = 2000;

/**
 * Calls that a stranger, and a known client, may begin and cancel within one turn of the event loop. A known
 * client may do it more often: what it has begun and cancelled while the sidecar was busy comes in one turn,
 * however long the client has waited, and others may share its connection.
 */
const CANCELS_IN_A_TURN = { ofStrangers: 100, ofKnown: 500 } as const;

/** Headers up to this size cost a connection nothing, in bytes: daprd takes 4 KiB. */
const USUAL_HEADER_BYTES = 8192;

/**
 * Bytes of longer headers that may come on a connection before a call was let in. Each is kept until V8
 * collects it, and V8 does not count what stands outside of its heap, as headers of node:http2 do.
 */
const STRANGERS_HEADER_BYTES = 256 * 1024;

/** From the notice that a connection goes away to the moment from which it takes no more calls. */
const NOTICE_MS = 1000;

/** The highest id that a stream can have: with it GOAWAY says that all calls are still taken (RFC 9113, 6.8). */
const ALL_STREAMS = 2 ** 31 - 1;

/** A client's connection and the calls that are under way on it. */
export class Connection {
  readonly session: ServerHttp2Session;
  readonly socket: Socket;
  /** What its calls may hold together. */
  readonly budget: ByteBudget;
  /** Calls under way. */
  streams = 0;
  /** Those of them that are streams of events: they take nothing of its share for unary calls. */
  heldStreams = 0;
  /** True once a call of its was let in: it is no stranger any more. */
  isKnown = false;
  readonly #turn: Turn;
  #cancels = 0;
  #lastTurn = 0;
  #cancelsInTurn = 0;
  #isRetired = false;
  #isCut = false;
  #headerBytes = 0;

  constructor(options: {
    readonly session: ServerHttp2Session;
    readonly socket: Socket;
    readonly budget: ByteBudget;
    readonly turn: Turn;
  }) {
    this.session = options.session;
    this.socket = options.socket;
    this.budget = options.budget;
    this.#turn = options.turn;
  }

  /** True where it is over without a word from its client. */
  get isGivenUp(): boolean {
    const { socket } = this;
    return socket.destroyed && !isEndedByClient(socket);
  }

  /** A call has ended that was begun in the turn named. */
  ended(stream: ServerHttp2Stream, begunIn: number): void {
    this.streams -= 1;
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) this.#countCancel(begunIn);
  }

  /** Headers have come; it is cut where they are too much for one on which nothing was let in yet. */
  countHeaders(bytes: number): void {
    if (this.isKnown || bytes <= USUAL_HEADER_BYTES) return;
    this.#headerBytes += bytes;
    if (this.#headerBytes > STRANGERS_HEADER_BYTES) this.cut();
  }

  /**
   * Closes it with a reason that clients show. It is the socket that is destroyed: to destroy a session
   * some of whose calls are half answered can make node:http2 (20) write empty frames for ever.
   */
  cut(): void {
    const { session, socket } = this;
    if (this.#isCut || session.destroyed) return;
    this.#isCut = true;
    // Much more may have come, and would be read within this turn.
    setReading(socket, false);
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    setImmediate(() => {
      socket.destroy();
    });
  }

  #countCancel(begunIn: number): void {
    this.#cancels += 1;
    if (this.#turn.number === begunIn) this.#countInTurn();
    if (this.#cancels > CANCELS_BEFORE_CUT) this.cut();
    else if (this.#cancels > CANCELS_BEFORE_RETIRING) this.#retire();
  }

  #countInTurn(): void {
    if (this.#lastTurn !== this.#turn.number) this.#cancelsInTurn = 0;
    this.#lastTurn = this.#turn.number;
    this.#cancelsInTurn += 1;
    const { ofStrangers, ofKnown } = CANCELS_IN_A_TURN;
    if (this.#cancelsInTurn > (this.isKnown ? ofKnown : ofStrangers)) this.cut();
  }

  /**
   * Asks the client to use another connection. Calls under way end as they would, and those that are
   * on their way are taken, as with gRPC's MAX_CONNECTION_AGE.
   */
  #retire(): void {
    const { session } = this;
    if (this.#isRetired || session.closed || session.destroyed) return;
    this.#isRetired = true;
    session.goaway(constants.NGHTTP2_NO_ERROR, ALL_STREAMS);
    setTimeout(() => {
      if (!session.closed && !session.destroyed) session.close();
    }, NOTICE_MS).unref();
  }
}
