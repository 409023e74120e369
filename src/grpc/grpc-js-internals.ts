import type {
  Http2SecureServer,
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from 'node:http2';

import { type Server, type ServerDuplexStream, status } from '@grpc/grpc-js';

import type { ServerTls } from '../servers/listen-address';
import { statusOf } from './grpc-status';

/**
 * What grpc-js (1.14) gives no public way to do with a server; grpc-js-call.ts has what it gives none
 * to do with a call. They reach into private fields; tests over the wire fail if an upgrade moves them.
 * What reaches into node:http2 is in stream-table.ts and connection.ts.
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
export function answerUnknownMethods(server: Server): void {
  const internals = internalsOf(server);
  internals.handlers = new HandlersWithFallback(internals.handlers);
}

class HandlersWithFallback extends Map<string, Handler> {
  override get(path: string): Handler {
    return super.get(path) ?? createUnimplementedHandler(path);
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

/** The HTTP/2 servers that a gRPC server is bound to by now, one for each address. */
export function http2ServersOf(server: Server): Iterable<Http2Server> {
  return internalsOf(server).http2Servers.keys();
}

/** What node:http2 tells of a stream that a client has begun. */
export type StreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  ...more: [flags: number, rawHeaders: readonly string[]]
) => void;

/** Takes the place of grpc-js as the one who is told of streams, and gives what grpc-js does with them. */
export function interceptStreams(
  http2Server: Http2Server,
  listener: StreamListener,
): StreamListener {
  const [handOn, ...others] = http2Server.listeners('stream');
  if (handOn === undefined || others.length > 0) {
    throw new Error('grpc-js does not listen to streams as it did');
  }
  http2Server.removeAllListeners('stream');
  http2Server.on('stream', listener as Parameters<typeof http2Server.on>[1]);
  return handOn.bind(http2Server) as StreamListener;
}
