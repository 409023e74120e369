import type { Socket } from 'node:net';

import { CODE } from '../http2/protocol';
import type { ByteBudget } from '../servers/byte-budget';
import { isEndedByClient } from '../servers/client-end';
import type { CallSession } from './call-session';
import { Pings } from './pings';
import { setReading } from './socket-handle';
import type { Turn } from './turn';

/**
 * Cancelled calls on one connection before the client is asked to open another. nghttp2 closes a
 * connection, with all its calls, after 1,000 cancelled calls plus 33 per second. Node 20 has no
 * option for that limit, but a connection that was sent GOAWAY is exempt. nghttp2 also counts
 * cancellations that cross the answer on the wire, and Node does not report those. When deadlines
 * pass while answers arrive, they are up to half of all.
 */
const CANCELS_BEFORE_RETIRING = 250;

/**
 * Cancelled calls (counting only those that arrived before the answer) after which the connection
 * is closed, even after GOAWAY.
 */
const CANCELS_BEFORE_CUT = 2000;

/**
 * How many calls a stranger and a known client may start and cancel within one turn of the event
 * loop. The limit for known clients is higher: everything that a client started and cancelled while
 * the sidecar was busy arrives in one turn, however long the client had waited, and clients may
 * share a connection.
 */
const CANCELS_IN_A_TURN = { ofStrangers: 100, ofKnown: 500 } as const;

/** Headers up to this size, in bytes, are not counted. daprd accepts 4 KiB. */
const USUAL_HEADER_BYTES = 8192;

/**
 * Maximum total of longer headers on a connection before a call is admitted, in bytes. node:http2
 * keeps headers outside V8's heap until V8 collects them, and V8 does not take their size into
 * account.
 */
const STRANGERS_HEADER_BYTES = 256 * 1024;

/**
 * Time between the notice that a connection will close and the moment when it accepts no more
 * calls, in milliseconds.
 */
const NOTICE_MS = 1000;

/**
 * The highest possible stream id. A GOAWAY with it means that all calls are still accepted (RFC
 * 9113, 6.8).
 */
const ALL_STREAMS = 2 ** 31 - 1;

/** A client's connection and its calls in progress. */
export class Connection {
  readonly session: CallSession;
  readonly socket: Socket;
  /** The memory budget that its calls share. */
  readonly budget: ByteBudget;
  /** Number of calls in progress. */
  streams = 0;
  /** How many of them are of a method with an event stream, admitted or not. */
  eventStreams = 0;
  /** How many of them are admitted event streams. They do not count against its share of unary calls. */
  heldStreams = 0;
  /** How many of them wait for a lock. They do not count against it either. */
  waitingCalls = 0;
  /** How many of them are passed on. They do not count against it either. */
  passedCalls = 0;
  /** True once one of its calls was passed on. */
  isPassing = false;
  /** True once one of its calls was admitted. It is no longer a stranger then. */
  isKnown = false;
  readonly #turn: Turn;
  readonly #boundsAllCancels: boolean;
  #cancels = 0;
  #lastTurn = 0;
  #cancelsInTurn = 0;
  #isRetired = false;
  #isCut = false;
  #headerBytes = 0;
  #pings: Pings | undefined;

  constructor(options: {
    readonly session: CallSession;
    readonly socket: Socket;
    readonly budget: ByteBudget;
    readonly turn: Turn;
    /**
     * True to bound the cancelled calls of the connection as nghttp2 does, and not only those of a
     * turn: see {@link CANCELS_BEFORE_RETIRING}.
     */
    readonly boundsAllCancels: boolean;
  }) {
    this.session = options.session;
    this.socket = options.socket;
    this.budget = options.budget;
    this.#turn = options.turn;
    this.#boundsAllCancels = options.boundsAllCancels;
  }

  /** True if the connection ended without any notice from the client. */
  get isGivenUp(): boolean {
    const { session, socket } = this;
    return (socket.destroyed || session.destroyed) && !isEndedByClient(socket);
  }

  /** Asks the client for signs of life. Few connections need it. */
  get pings(): Pings {
    this.#pings ??= new Pings(this.session);
    return this.#pings;
  }

  /**
   * Records the end of a call that was started in the given turn.
   *
   * @param code of the RST_STREAM that ended it; NO_ERROR if there was none
   */
  ended(code: number, begunIn: number): void {
    this.streams -= 1;
    if (code !== CODE.noError) this.#countCancel(begunIn);
  }

  /**
   * Counts received headers. Closes the connection if they exceed the limit for one without an
   * admitted call.
   */
  countHeaders(bytes: number): void {
    if (this.isKnown || bytes <= USUAL_HEADER_BYTES) return;
    this.#headerBytes += bytes;
    if (this.#headerBytes > STRANGERS_HEADER_BYTES) this.cut();
  }

  /**
   * Closes the connection with an error code that clients show. It destroys the socket instead of
   * the session: destroying a session with partly answered calls can make node:http2 (Node 20)
   * write empty frames forever.
   */
  cut(): void {
    const { session, socket } = this;
    if (this.#isCut || session.destroyed) return;
    this.#isCut = true;
    // More data may have arrived, and would be read within this turn.
    setReading(socket, false);
    session.goaway(CODE.enhanceYourCalm);
    setImmediate(() => {
      socket.destroy();
    });
  }

  #countCancel(begunIn: number): void {
    this.#cancels += 1;
    if (this.#turn.number === begunIn) this.#countInTurn();
    if (!this.#boundsAllCancels) return;
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
   * Asks the client to use another connection. Calls in progress finish normally, and calls that
   * are on their way are accepted, as with gRPC's MAX_CONNECTION_AGE.
   */
  #retire(): void {
    const { session } = this;
    if (this.#isRetired || session.closed || session.destroyed) return;
    this.#isRetired = true;
    session.goaway(CODE.noError, ALL_STREAMS);
    setTimeout(() => {
      if (!session.closed && !session.destroyed) session.close();
    }, NOTICE_MS).unref();
  }
}
