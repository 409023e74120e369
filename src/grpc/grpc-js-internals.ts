import type {
  Http2SecureServer,
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';

import { type Server, type ServerDuplexStream, status } from '@grpc/grpc-js';

import type { ServerTls } from '../sidecar/listen-address';
import { statusOf } from './grpc-status';
import type { StreamShares } from './stream-shares';
import { useStreamTable } from './stream-table';

/**
 * Four things that grpc-js (1.14) gives no public way to do. They reach into private fields of its
 * Server; tests over the wire fail if an upgrade moves them. What reaches into node:http2 is in
 * stream-table.ts, and begun here, where sessions are seen first.
 */

interface Handler {
  readonly type: 'bidi';
  readonly path: string;
  readonly serialize: (bytes: Buffer) => Buffer;
  readonly deserialize: (bytes: Buffer) => Buffer;
  readonly func: (call: ServerDuplexStream<Buffer, Buffer>) => void;
}

interface ServerInternals {
  handlers: ReadonlyMap<string, Handler>;
  readonly http2Servers: ReadonlyMap<Http2Server, unknown>;
}

function internalsOf(server: Server): ServerInternals {
  return server as unknown as ServerInternals;
}

/**
 * Answers methods that nobody registered. grpc-js answers those by itself, before any interceptor
 * runs: a caller without the API token could then tell which methods exist. With this they pass
 * the interceptors like every call and then get UNIMPLEMENTED with a message that names them.
 */
export function answerUnknownMethods(server: Server, late: readonly LateService[]): void {
  const internals = internalsOf(server);
  internals.handlers = new HandlersWithFallback(internals.handlers, late);
}

/** A service that is made when it is called for the first time: few sidecars are ever asked for it. */
export interface LateService {
  /** What the paths of its methods begin with. */
  readonly prefix: string;
  /** Registers it. */
  readonly add: () => void;
}

class HandlersWithFallback extends Map<string, Handler> {
  // Not a private field: the constructor of Map is done before it would exist.
  late: readonly LateService[] | undefined;

  constructor(handlers: ReadonlyMap<string, Handler>, late: readonly LateService[]) {
    super(handlers);
    this.late = late;
  }

  override get(path: string): Handler {
    return super.get(path) ?? this.addLate(path) ?? createUnimplementedHandler(path);
  }

  addLate(path: string): Handler | undefined {
    const service = this.late?.find(({ prefix }) => path.startsWith(prefix));
    if (service === undefined) return undefined;
    this.late = this.late?.filter((other) => other !== service);
    service.add();
    return super.get(path);
  }
}

/** A stream in both directions: it can be ended at once, whatever kind of call was made. */
function createUnimplementedHandler(path: string): Handler {
  return {
    type: 'bidi',
    path,
    serialize: (bytes: Buffer) => bytes,
    deserialize: (bytes: Buffer) => bytes,
    func: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.emit('error', statusOf(status.UNIMPLEMENTED, `Holdfast does not serve ${path}`));
    },
  };
}

/** The servers under a server of grpc-js, one for each address that it is bound to. */
export function http2ServersOf(server: Server): Iterable<Http2Server> {
  return internalsOf(server).http2Servers.keys();
}

/** Shows a renewed certificate to new connections; grpc-js keeps the one it was bound with. */
export function renewCertificate(server: Server, { cert, key, ca }: ServerTls): void {
  for (const http2Server of internalsOf(server).http2Servers.keys()) {
    if ('setSecureContext' in http2Server) {
      (http2Server as Http2SecureServer).setSecureContext({
        cert,
        key,
        ...(ca === undefined ? {} : { ca }),
      });
    }
  }
}

/** Milliseconds in each unit of `grpc-timeout` (gRPC over HTTP/2, Requests). */
const TIMEOUT_UNITS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** Node's longest timer, and where grpc-js cuts a time-out to 32 bits: about 24.8 days. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** Takes over-long deadlines off a request, see {@link Connections}. */
function dropEndlessDeadline(headers: IncomingHttpHeaders): void {
  const timeout = headers['grpc-timeout'];
  if (typeof timeout === 'string' && toMilliseconds(timeout) > LONGEST_TIMEOUT_MS) {
    delete headers['grpc-timeout'];
  }
}

/**
 * Sees the connections of a server and the streams on them, before grpc-js does.
 *
 * A deadline beyond 24.8 days is taken off its request: grpc-js keeps the low 32 bits of a
 * `grpc-timeout`, so that a call with a deadline of 30 days would be ended at once.
 */
export class Connections {
  readonly #connections = new Map<ServerHttp2Session, Connection>();
  readonly #known = new WeakSet<Http2Server>();
  readonly #shares: StreamShares | undefined;

  /** @param shares how many streams each connection may open; undefined for any number */
  constructor(shares: StreamShares | undefined) {
    this.#shares = shares;
  }

  /** Watches what a server is bound to by now; call it after each bind. */
  watch(server: Server): void {
    for (const http2Server of internalsOf(server).http2Servers.keys()) {
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
      useStreamTable(session);
      this.#connections.set(session, { socket: arriving, streams: 0 });
      this.#shares?.add(session);
      arriving.once('close', () => {
        this.#connections.delete(session);
        this.#shares?.remove(session);
      });
    });
    http2Server.prependListener(
      'stream',
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
        dropEndlessDeadline(headers);
        this.#count(stream);
      },
    );
  }

  #count(stream: ServerHttp2Stream): void {
    const connection = this.#connections.get(stream.session as ServerHttp2Session);
    if (connection === undefined) return;
    connection.streams += 1;
    stream.once('close', () => {
      connection.streams -= 1;
    });
  }
}

interface Connection {
  readonly socket: Socket;
  /** Calls under way. */
  streams: number;
}

function toMilliseconds(timeout: string): number {
  const match = /^(\d{1,8}) *([HMSmun])$/.exec(timeout);
  return match === null ? 0 : Number(match[1]) * (TIMEOUT_UNITS[match[2] ?? ''] ?? 0);
}
