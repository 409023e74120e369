import type { Socket } from 'node:net';

import { type ConnectionBounds, DEFAULT_BOUNDS } from '../../http2/bounds';
import { HuffmanDecoder } from '../../http2/huffman';
import { CODE } from '../../http2/protocol';
import type { ServerStream } from '../../http2/server-stream';
import { SocketConnection } from '../../http2/socket-connection';
import { isExempt } from '../api-refusals';
import type { ConnectionParts } from '../server-parts';
import { Connection } from '../connection';
import { HEADER_BYTES_A_CALL, Strangers } from '../strangers';
import { Turn } from '../turn';
import { BegunStream, type Receiver } from './begun-stream';
import { type CallHeaders, LastHeaders } from './call-headers';
import type { AdmittedCall } from './lean-call';
import { LeanSession } from './lean-session';
import { PassedStream } from './passed-stream';

/**
 * After this time, a connection that closes takes no more calls, although its client has not said
 * that it knows, in milliseconds.
 */
const NOTICE_MS = 1000;

/** The parts of {@link LeanConnections}. */
export interface LeanConnectionParts extends ConnectionParts {
  /** Creates the call of an admitted stream. */
  readonly createCall: (path: string, call: AdmittedCall) => Receiver;
  /** Called with a fault of our own for which a connection was closed. */
  readonly onFault: (fault: unknown) => void;
}

/** A connection, and what is needed for its next call. */
interface Link {
  readonly connection: Connection;
  readonly http2: SocketConnection;
  readonly headers: LastHeaders;
}

/** Handles the connections of a server on our own HTTP/2, and the calls on them until they are admitted. */
export class LeanConnections {
  readonly #options: LeanConnectionParts;
  readonly #links = new Set<Link>();
  readonly #huffman = new HuffmanDecoder();
  readonly #bounds: ConnectionBounds;
  readonly #turn = new Turn();
  readonly #strangers = new Strangers();
  #isClosing = false;

  constructor(options: LeanConnectionParts) {
    this.#options = options;
    this.#bounds = { ...DEFAULT_BOUNDS, maxStreams: options.shares?.total ?? Infinity };
  }

  /** Serves a connection: a plain one, or one of TLS after its handshake. */
  accept(socket: Socket): void {
    const { gate, onFault, shares } = this.#options;
    const http2 = new SocketConnection({
      socket,
      huffman: this.#huffman,
      bounds: this.#bounds,
      onRequest: (stream) => this.#begin(stream, link),
      onClose: (error) => {
        if (error?.code === CODE.internalError) onFault(error.cause);
      },
    });
    const connection = new Connection({
      session: new LeanSession(http2),
      socket,
      budget: gate.createBudget(),
      turn: this.#turn,
      boundsAllCancels: false,
    });
    const link: Link = { connection, http2, headers: new LastHeaders() };
    this.#links.add(link);
    this.#strangers.add(connection);
    shares?.add(connection);
    socket.once('close', () => {
      this.#links.delete(link);
      this.#strangers.remove(connection);
      shares?.remove(connection);
    });
    if (this.#isClosing) shutDown(http2);
  }

  /** Asks all clients to begin no more calls. Those that are in progress may finish. */
  shutDown(): void {
    this.#isClosing = true;
    for (const { http2 } of this.#links) shutDown(http2);
  }

  /**
   * Closes connections without a call, which their clients may not do. A client is told first which of
   * its calls are answered, and has until the next time to read it: others may be on their way, and
   * it makes them elsewhere (RFC 9113, 6.8).
   *
   * @param mayLose true to close also connections whose last answer the kernel has not accepted yet
   */
  endIdle({ mayLose }: { readonly mayLose: boolean }): void {
    for (const { connection, http2 } of this.#links) {
      if (connection.streams > 0) continue;
      if (!http2.protocol.isClosed) http2.protocol.refuseStreams();
      else if (mayLose || !http2.hasUnsent) http2.socket.destroy();
    }
  }

  #begin(stream: ServerStream, link: Link): BegunStream {
    const { connection } = link;
    const headers = link.headers.of(stream.head.list);
    const begun = this.#count(stream, headers, connection);
    this.#strangers.spend(connection, 1 + headers.bytes / HEADER_BYTES_A_CALL);
    connection.countHeaders(headers.bytes);
    if (!connection.session.destroyed) this.#admit(begun, headers, connection);
    return begun;
  }

  /** Counts a call from its headers to its end. */
  #count(stream: ServerStream, headers: CallHeaders, connection: Connection): BegunStream {
    const begunIn = this.#turn.number;
    const isEventStream = this.#options.eventStreamPaths.has(stream.head.path);
    connection.streams += 1;
    if (isEventStream) connection.eventStreams += 1;
    else this.#options.shares?.use(connection);
    return new BegunStream(stream, {
      headers: headers.record,
      headerBytes: headers.bytes,
      connection,
      begunIn,
      isEventStream,
    });
  }

  #admit(begun: BegunStream, headers: CallHeaders, connection: Connection): void {
    const { stream } = begun;
    const { path } = stream.head;
    const limits = this.#options.gate.admit(begun);
    if (limits === undefined) return;
    if (!connection.isKnown && !isExempt(path)) {
      connection.isKnown = true;
      this.#strangers.remove(connection);
    }
    if (limits === 'passed') this.#pass(begun, headers, connection);
    else begun.receiver = this.#options.createCall(path, { stream, headers, limits, connection });
  }

  #pass(begun: BegunStream, headers: CallHeaders, connection: Connection): void {
    const stream = new PassedStream(begun.stream);
    begun.receiver = stream.receiver;
    connection.passedCalls += 1;
    begun.whenGone(() => {
      connection.passedCalls -= 1;
    });
    if (!connection.isPassing) {
      connection.isPassing = true;
      this.#options.shares?.pass(connection);
    }
    const call = { stream, headers: headers.record, rawHeaders: headers.raw };
    this.#options.passing?.pass(call, connection);
  }
}

function shutDown({ protocol }: SocketConnection): void {
  protocol.shutDown();
  setTimeout(() => {
    protocol.refuseStreams();
  }, NOTICE_MS).unref();
}
