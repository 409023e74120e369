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
 * Access to private fields of a grpc-js (1.14) server, for operations without a public API.
 * grpc-js-call.ts does the same for calls. If an upgrade moves these fields, tests over the wire
 * fail. Access to internals of node:http2 is in stream-table.ts and connection.ts.
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
 * Answers calls of methods that are not registered. grpc-js would answer them before any
 * interceptor runs, so a caller without the API token could find out which methods exist. With this
 * handler, such calls pass the interceptors like all others and then get UNIMPLEMENTED with a
 * message that names the method.
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

/** A bidirectional stream can be ended at once, whatever kind of call the client made. */
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

/**
 * Uses a renewed certificate for new connections. grpc-js itself keeps the certificate that it was
 * bound with.
 */
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

/** The HTTP/2 servers to which a gRPC server is bound so far, one per address. */
export function http2ServersOf(server: Server): Iterable<Http2Server> {
  return internalsOf(server).http2Servers.keys();
}

/** The listener of node:http2's `stream` event. */
export type StreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  ...more: [flags: number, rawHeaders: readonly string[]]
) => void;

/** Replaces grpc-js's listener of the `stream` event and returns it. */
export function interceptStreams(
  http2Server: Http2Server,
  listener: StreamListener,
): StreamListener {
  const [handOn, ...others] = http2Server.listeners('stream');
  if (handOn === undefined || others.length > 0) {
    throw new Error('this version of grpc-js does not have exactly one listener for streams');
  }
  http2Server.removeAllListeners('stream');
  http2Server.on('stream', listener as Parameters<typeof http2Server.on>[1]);
  return handOn.bind(http2Server) as StreamListener;
}
