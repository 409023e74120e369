import type { OutgoingHttpHeaders } from 'node:http2';

import type { GrpcStatus } from './grpc-status';
import type { ClientStream } from './client-stream';

const OK = 200;
const UNSUPPORTED_MEDIA_TYPE = 415;

/**
 * Encodes a status as the single block of headers that ends a call (gRPC over HTTP/2,
 * Trailers-Only).
 */
export function toTrailersOnly(status: GrpcStatus): OutgoingHttpHeaders {
  return { ':status': OK, 'content-type': 'application/grpc+proto', ...toTrailers(status) };
}

/** Encodes a status as the trailers that follow an answer. */
export function toTrailers({ code, details, metadata }: GrpcStatus): OutgoingHttpHeaders {
  return {
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
 * (client-stream.ts).
 */
export function endStream(stream: ClientStream, headers: OutgoingHttpHeaders): void {
  // It is not an error if the client has disconnected by now.
  stream.on('error', () => undefined);
  if (stream.destroyed || stream.closed) return;
  stream.respond(headers, { endStream: true });
  stream.resume();
}
