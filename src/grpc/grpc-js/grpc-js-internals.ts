import type {
  Http2SecureServer,
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from 'node:http2';

import type { Server } from '@grpc/grpc-js';

import type { ServerTls } from '../../servers/listen-address';

/**
 * Access to private fields of a grpc-js (1.14) server, for operations without a public API.
 * grpc-js-call.ts does the same for calls. If an upgrade moves these fields, tests over the wire
 * fail. Access to internals of node:http2 is in stream-table.ts and connection.ts.
 */

interface ServerInternals {
  readonly http2Servers: ReadonlyMap<Http2Server, unknown>;
}

function internalsOf(server: Server): ServerInternals {
  return server as unknown as ServerInternals;
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
