import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';

import type { GrpcStatus } from './grpc-status';

const OK = 200;
const UNSUPPORTED_MEDIA_TYPE = 415;

/**
 * Encodes a status as the single block of headers that ends a call (gRPC over HTTP/2,
 * Trailers-Only).
 */
export function toTrailersOnly({ code, details, metadata }: GrpcStatus): OutgoingHttpHeaders {
  return {
    ':status': OK,
    'content-type': 'application/grpc+proto',
    'grpc-status': code,
    'grpc-message': encodeURI(details),
    ...metadata?.toHttp2Headers(),
  };
}

/** The answer to a request that is not gRPC. */
export const NO_GRPC: OutgoingHttpHeaders = { ':status': UNSUPPORTED_MEDIA_TYPE };

/**
 * Ends a call with headers alone. The rest of the request is dropped. A client that continues to
 * send after this turn of the event loop is told to stop, like the client of any answered call
 * (connections.ts).
 */
export function endStream(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): void {
  // It is not an error if the client has disconnected by now.
  stream.on('error', () => undefined);
  if (stream.destroyed || stream.closed) return;
  stream.respond(headers, { endStream: true });
  stream.resume();
}
