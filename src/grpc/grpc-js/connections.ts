import {
  constants,
  type Http2Server,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';

import type { Server, ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';

import { MOST_HEADERS } from '../../base/header-limits';
import { allowManyHeaders } from '../../runtime/header-pairs';
import { useStreamTable } from './stream-table';
import { isExempt } from '../api-refusals';
import type { BegunCall, CallGate, CallLimits, Client } from '../call-gate';
import { stopReadingAtEnd } from '../client-stream';
import { Connection } from '../connection';
import { DestroyedSessions } from './destroyed-sessions';
import { boundCall } from './grpc-js-call';
import { http2ServersOf, interceptStreams, type StreamListener } from './grpc-js-internals';
import { dropEndlessDeadline } from '../grpc-timeout';
import type { ArrivedCall } from '../passed-call';
import type { Passing } from '../passing';
import type { ConnectionParts } from '../server-parts';
import { hasUnsent } from '../socket-handle';
import { HEADER_BYTES_A_CALL, Strangers } from '../strangers';
import type { StreamShares } from '../stream-shares';
import { endStream } from '../trailers-only';
import { Turn } from '../turn';

/** Handles the connections of a server, and the calls on them, before grpc-js does. */
export class Connections {
  readonly #gate: CallGate;
  readonly #shares: StreamShares | undefined;
  readonly #passing: Passing | undefined;
  readonly #eventStreamPaths: ReadonlySet<string>;
  readonly #connections = new Map<ServerHttp2Session, Connection>();
  readonly #known = new WeakSet<Http2Server>();
  readonly #turn = new Turn();
  readonly #strangers = new Strangers();
  readonly #destroyedSessions = new DestroyedSessions();
  /** The limits of the call that is being handed to grpc-js at the moment. */
  #limits: CallLimits | undefined;

  constructor({ gate, shares, passing, eventStreamPaths }: ConnectionParts) {
    this.#gate = gate;
    this.#shares = shares;
    this.#passing = passing;
    this.#eventStreamPaths = eventStreamPaths;
  }

  /**
   * Applies the limits to each call when grpc-js creates it, which it does while it receives the
   * stream.
   */
  readonly interceptor: ServerInterceptor = (_method, call) => {
    // Returned without a wrapper, because a wrapper would cost time in every call.
    const made = call as unknown as ServerInterceptingCall;
    if (this.#limits !== undefined) boundCall(made, this.#limits);
    return made;
  };

  /** Watches the addresses to which a server is bound so far. Call it after each bind. */
  watch(server: Server): void {
    for (const http2Server of http2ServersOf(server)) {
      if (!this.#known.has(http2Server)) this.#watchOne(http2Server);
      this.#known.add(http2Server);
    }
  }

  /**
   * Closes connections without a call. A graceful shutdown of grpc-js waits until clients have
   * acknowledged their settings and closed their side. A client that only connected never does
   * that.
   *
   * @param mayLose true to close also connections whose last answer the kernel has not accepted yet
   */
  endIdle({ mayLose }: { readonly mayLose: boolean }): void {
    for (const { session, socket, streams } of this.#connections.values()) {
      const isIdle = streams === 0 || session.destroyed;
      if (isIdle && (mayLose || !hasUnsent(socket))) socket.destroy();
    }
  }

  /** Closes connections whose session is destroyed, but not their socket. Call it now and then. */
  endDestroyed(): void {
    this.#destroyedSessions.look(this.#connections.values());
  }

  /** The connection of a session. Undefined if it has ended. */
  of(session: ServerHttp2Session): Connection | undefined {
    return this.#connections.get(session);
  }

  #watchOne(http2Server: Http2Server): void {
    allowManyHeaders(http2Server, MOST_HEADERS);
    let arriving: Socket;
    // Node creates the session while it handles this event. The session itself does not expose a
    // socket that can be destroyed.
    for (const event of ['connection', 'secureConnection']) {
      http2Server.prependListener(event, (socket: Socket) => {
        arriving = socket;
      });
    }
    http2Server.on('session', (session: ServerHttp2Session) => {
      this.#add(session, arriving);
    });
    const handOn = interceptStreams(http2Server, (...begun) => {
      this.#limits = this.#admit(...begun);
      if (this.#limits !== undefined) handOn(...begun);
      this.#limits = undefined;
    });
  }

  #add(session: ServerHttp2Session, socket: Socket): void {
    useStreamTable(session);
    const budget = this.#gate.createBudget();
    const connection = new Connection({
      session,
      socket,
      budget,
      turn: this.#turn,
      boundsAllCancels: true,
    });
    this.#connections.set(session, connection);
    this.#strangers.add(connection);
    this.#shares?.add(connection);
    socket.once('close', () => {
      this.#connections.delete(session);
      this.#strangers.remove(connection);
      this.#shares?.remove(connection);
    });
  }

  #admit(...[stream, headers, , rawHeaders]: Parameters<StreamListener>): CallLimits | undefined {
    const connection = this.#connections.get(stream.session as ServerHttp2Session);
    if (connection === undefined) return undefined;
    const headerBytes = sizeOf(rawHeaders);
    const { budget } = connection;
    const call: BegunCall = { client: new NodeClient(stream), headers, headerBytes, budget };
    this.#count(call, stream, connection);
    this.#strangers.spend(connection, 1 + headerBytes / HEADER_BYTES_A_CALL);
    connection.countHeaders(headerBytes);
    if (stream.destroyed) return undefined;
    const admitted = this.#gate.admit(call);
    if (admitted === undefined) stopReadingAtEnd(stream);
    else if (!connection.isKnown && !isExempt(headers[':path'] ?? '')) this.#meet(connection);
    if (admitted !== 'passed') {
      dropEndlessDeadline(headers);
      return admitted;
    }
    this.#pass({ stream, headers, rawHeaders }, connection);
    return undefined;
  }

  /** Passes a call on. It does not reach grpc-js. */
  #pass(call: ArrivedCall, connection: Connection): void {
    const { stream } = call;
    connection.passedCalls += 1;
    stream.once('close', () => {
      connection.passedCalls -= 1;
    });
    if (!connection.isPassing) {
      connection.isPassing = true;
      this.#shares?.pass(connection);
    }
    this.#passing?.pass(call, connection);
  }

  /** Records that a call was admitted that needs a token (if the sidecar has one). */
  #meet(connection: Connection): void {
    connection.isKnown = true;
    this.#strangers.remove(connection);
  }

  /**
   * One listener does everything that the end of a call requires, because each listener costs time
   * in every call.
   */
  #count(call: BegunCall, stream: ServerHttp2Stream, connection: Connection): void {
    const { headers } = call;
    const begunIn = this.#turn.number;
    // Before the call has begun: a thousand may be read at once, and would all count as unary.
    const isEventStream = this.#eventStreamPaths.has(headers[':path'] ?? '');
    connection.streams += 1;
    if (isEventStream) connection.eventStreams += 1;
    else this.#shares?.use(connection);
    stream.on('close', () => {
      if (isEventStream) connection.eventStreams -= 1;
      connection.ended(stream.rstCode, begunIn);
      call.account?.settle();
    });
  }
}

/** The client of a call of node:http2. */
class NodeClient implements Client {
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  refuse(headers: OutgoingHttpHeaders): void {
    endStream(this.#stream, headers);
  }

  evict(): void {
    this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  whenGone(listener: () => void): void {
    this.#stream.once('close', listener);
  }
}

function sizeOf(rawHeaders: readonly string[]): number {
  let bytes = 0;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}
