import type {
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';

import type { Server, ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';

import { type ApiRefusals, isExempt } from './api-refusals';
import { ByteAccount, ByteBudget } from './byte-budget';
import { Connection } from './connection';
import { boundCall, type CallLimits } from './grpc-js-call';
import { http2ServersOf, interceptStreams } from './grpc-js-internals';
import type { GrpcStatus } from './grpc-status';
import { dropEndlessDeadline } from './grpc-timeout';
import { full } from './inflate';
import type { StreamShares } from './stream-shares';
import { useStreamTable } from './stream-table';
import { Strangers } from './strangers';
import { endStream, NO_GRPC, toTrailersOnly } from './trailers-only';
import { Turn } from './turn';
import { Visitors } from './visitors';

/** What calls without a token, health checks, may hold together, in bytes. */
const EXEMPT_BYTES = 4 * 1024 * 1024;

/** How much of a health check is kept: no service has so long a name. In bytes. */
export const EXEMPT_KEPT_BYTES = 4096;

/** What the requests of all connections may hold together, unless messages may be longer. In bytes. */
const HELD_BYTES = 24 * 1024 * 1024;

/** The share of it that one connection may take. */
const CONNECTION_SHARE = 0.5;

/** Headers up to this size are not counted: there are no more of them than streams. In bytes. */
const UNCOUNTED_HEADER_BYTES = 2048;

/** How many bytes of headers take as long as a call that is refused. */
const HEADER_BYTES_A_CALL = 4096;

/** Messages on one call: of a unary one the second is refused, reflection is asked a few times. */
const MESSAGES_A_CALL = 1000;

/** What the connections of a server stand on. */
export interface ConnectionsOptions {
  readonly refusals: ApiRefusals;
  /** How many streams each connection may open; undefined for any number. */
  readonly shares: StreamShares | undefined;
  /** Longest message taken, in bytes; -1 for no limit. */
  readonly maxMessageBytes: number;
}

/**
 * Sees the connections of a server and the calls on them before grpc-js does, and lets through to it
 * only what may be called, by whom, and as much as there is room for.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #connections = new Map<ServerHttp2Session, Connection>();
  readonly #known = new WeakSet<Http2Server>();
  readonly #turn = new Turn();
  readonly #visitors = new Visitors();
  readonly #strangers = new Strangers();
  readonly #held: ByteBudget;
  readonly #heldByExempt = new ByteBudget(EXEMPT_BYTES);
  /** Of the call that is handed to grpc-js at the moment. */
  #limits: CallLimits | undefined;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#held = new ByteBudget(toHeldBytes(options.maxMessageBytes));
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
   */
  endIdle(): void {
    for (const { socket, streams } of this.#connections.values()) {
      if (streams === 0) socket.destroy();
    }
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
    const handOn = interceptStreams(http2Server, (stream, headers, flags, rawHeaders) => {
      const limits = this.#admit(stream, headers, rawHeaders);
      if (limits === undefined) return;
      this.#limits = limits;
      handOn(stream, headers, flags, rawHeaders);
      this.#limits = undefined;
    });
  }

  #add(session: ServerHttp2Session, socket: Socket): void {
    const { shares } = this.#options;
    useStreamTable(session);
    const budget = new ByteBudget(this.#held.bytes * CONNECTION_SHARE, this.#held);
    const connection = new Connection({ session, socket, budget, turn: this.#turn });
    this.#connections.set(session, connection);
    this.#strangers.add(connection);
    shares?.add(connection);
    socket.once('close', () => {
      this.#strangers.remove(connection);
      this.#connections.delete(session);
      shares?.remove(connection);
    });
  }

  /** What a call may take; undefined for one that has been refused. */
  #admit(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
  ): CallLimits | undefined {
    const connection = this.#connections.get(stream.session as ServerHttp2Session);
    if (connection === undefined) return this.#refuse(stream, full());
    const path = headers[':path'] ?? '';
    const exempt = isExempt(path);
    const account = new ByteAccount(exempt ? this.#heldByExempt : connection.budget);
    this.#count(stream, connection, account);
    const headerBytes = sizeOf(rawHeaders);
    this.#strangers.spend(connection, 1 + headerBytes / HEADER_BYTES_A_CALL);
    if (headers['content-type']?.startsWith('application/grpc') !== true) {
      endStream(stream, NO_GRPC);
      return undefined;
    }
    const refusal = this.#options.refusals.of(path, headers);
    if (refusal !== undefined) return this.#refuse(stream, refusal);
    if (headerBytes > UNCOUNTED_HEADER_BYTES && !account.take(headerBytes)) {
      return this.#refuse(stream, full());
    }
    if (exempt) this.#visitors.add(stream);
    else if (!connection.isKnown) {
      connection.isKnown = true;
      this.#strangers.remove(connection);
    }
    dropEndlessDeadline(headers);
    return {
      account,
      maxBytes: this.#options.maxMessageBytes,
      keptBytes: exempt ? EXEMPT_KEPT_BYTES : undefined,
      maxMessages: MESSAGES_A_CALL,
    };
  }

  #refuse(stream: ServerHttp2Stream, refusal: GrpcStatus): undefined {
    endStream(stream, toTrailersOnly(refusal));
  }

  #count(stream: ServerHttp2Stream, connection: Connection, account: ByteAccount): void {
    const begunIn = this.#turn.number;
    connection.streams += 1;
    this.#options.shares?.use(connection);
    stream.once('close', () => {
      account.settle();
      connection.ended(stream, begunIn);
    });
    stream.once('finish', () => {
      setImmediate(stopReading, stream);
    });
  }
}

/** A client is told not to send the rest of a call that has its answer (RFC 9113, 8.1), as grpc-go does. */
function stopReading(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded && !stream.closed) stream.close();
}

/** Room for two of the longest messages on a connection, and twice that in all. */
function toHeldBytes(maxMessageBytes: number): number {
  return maxMessageBytes === -1 ? Infinity : Math.max(HELD_BYTES, 4 * maxMessageBytes);
}

function sizeOf(rawHeaders: readonly string[]): number {
  let bytes = 0;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}
