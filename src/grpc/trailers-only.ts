import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';

import type { GrpcStatus } from './grpc-status';

const OK = 200;
const UNSUPPORTED_MEDIA_TYPE = 415;

/** A status as the one block of headers that ends a call (gRPC over HTTP/2, Trailers-Only). */
export function toTrailersOnly({ code, details, metadata }: GrpcStatus): OutgoingHttpHeaders {
  return {
    ':status': OK,
    'content-type': 'application/grpc+proto',
    'grpc-status': code,
    'grpc-message': encodeURI(details),
    ...metadata?.toHttp2Headers(),
  };
}

/** What is answered to what is no gRPC. */
export const NO_GRPC: OutgoingHttpHeaders = { ':status': UNSUPPORTED_MEDIA_TYPE };

/**
 * Ends a call by headers alone. What it still sends is dropped; a client that sends more than this turn
 * of the event loop brought is told to stop, as every call is that has its answer (connections.ts).
 */
export function endStream(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): void {
  // A client that has gone by now is no error of ours.
  stream.on('error', () => undefined);
  if (stream.destroyed || stream.closed) return;
  stream.respond(headers, { endStream: true });
  stream.resume();
}
