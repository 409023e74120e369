import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';

import type { Server, ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';

import { useStreamTable } from '../runtime/stream-table';
import { isExempt } from './api-refusals';
import type { BegunCall, CallGate } from './call-gate';
import { Connection } from './connection';
import { boundCall, type CallLimits, stopReadingAtEnd } from './grpc-js-call';
import { http2ServersOf, interceptStreams, type StreamListener } from './grpc-js-internals';
import { hasUnsent } from './socket-handle';
import { Strangers } from './strangers';
import type { StreamShares } from './stream-shares';
import { Turn } from './turn';

/** How many bytes of headers take as long as a call that is refused. */
const HEADER_BYTES_A_CALL = 4096;

/** What the connections of a server stand on. */
export interface ConnectionsOptions {
  readonly gate: CallGate;
  /** How many streams each connection may open; undefined for any number. */
  readonly shares: StreamShares | undefined;
}

/** Sees the connections of a server and the calls on them before grpc-js does. */
export class Connections {
  readonly #gate: CallGate;
  readonly #shares: StreamShares | undefined;
  readonly #connections = new Map<ServerHttp2Session, Connection>();
  readonly #known = new WeakSet<Http2Server>();
  readonly #turn = new Turn();
  readonly #strangers = new Strangers();
  /** Of the call that is handed to grpc-js at the moment. */
  #limits: CallLimits | undefined;

  constructor({ gate, shares }: ConnectionsOptions) {
    this.#gate = gate;
    this.#shares = shares;
  }

  /** Bounds each call when grpc-js makes it, which it does while a stream is handed to it. */
  readonly interceptor: ServerInterceptor = (_method, call) => {
    // Handed on as it is: a layer of its own would cost every call.
    const made = call as unknown as ServerInterceptingCall;
    if (this.#limits !== undefined) boundCall(made, this.#limits);
    return made;
  };

  /** Watches what a server is bound to by now; call it after each bind. */
  watch(server: Server): void {
    for (const http2Server of http2ServersOf(server)) {
      if (!this.#known.has(http2Server)) this.#watchOne(http2Server);
      this.#known.add(http2Server);
    }
  }

  /**
   * Cuts the connections that carry no call. A graceful shutdown of grpc-js waits until clients have
   * acknowledged their settings and closed their side; one that only connected never does.
   *
   * @param mayLose true to cut those too whose last answer has not been taken by the kernel
   */
  endIdle({ mayLose }: { readonly mayLose: boolean }): void {
    for (const { socket, streams } of this.#connections.values()) {
      if (streams === 0 && (mayLose || !hasUnsent(socket))) socket.destroy();
    }
  }

  /** The connection of a session; undefined for one that is over. */
  of(session: ServerHttp2Session): Connection | undefined {
    return this.#connections.get(session);
  }

  /** One of its calls is a stream of events, which leaves the share of its unary calls to them. */
  hold(connection: Connection): void {
    connection.heldStreams += 1;
    this.#shares?.hold(connection);
  }

  /** A stream of events is over. */
  letGo(connection: Connection): void {
    connection.heldStreams -= 1;
    this.#shares?.hold(connection);
  }

  #watchOne(http2Server: Http2Server): void {
    let arriving: Socket;
    // Node makes the session while it handles this event; the session shows no socket to destroy.
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
    const connection = new Connection({ session, socket, budget, turn: this.#turn });
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
    const call: BegunCall = { stream, headers, headerBytes, budget: connection.budget };
    this.#count(call, connection);
    this.#strangers.spend(connection, 1 + headerBytes / HEADER_BYTES_A_CALL);
    connection.countHeaders(headerBytes);
    if (stream.destroyed) return undefined;
    const limits = this.#gate.admit(call);
    if (limits === undefined) stopReadingAtEnd(stream);
    else if (!connection.isKnown && !isExempt(headers[':path'] ?? '')) this.#meet(connection);
    return limits;
  }

  /** A call was let in for which a token is needed where there is one. */
  #meet(connection: Connection): void {
    connection.isKnown = true;
    this.#strangers.remove(connection);
  }

  /** One listener does all that the end of a call takes: each costs every call. */
  #count(call: BegunCall, connection: Connection): void {
    const { stream } = call;
    const begunIn = this.#turn.number;
    connection.streams += 1;
    this.#shares?.use(connection);
    stream.on('close', () => {
      connection.ended(stream, begunIn);
      call.account?.settle();
    });
  }
}

function sizeOf(rawHeaders: readonly string[]): number {
  let bytes = 0;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}
