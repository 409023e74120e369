import type { OutgoingHttpHeaders, ServerStreamResponseOptions } from 'node:http2';
import type { Duplex } from 'node:stream';

/**
 * The client's stream of a call, as far as a passed call needs it: one of node:http2, or our own in
 * the same form (lean/passed-stream.ts). It emits `wantTrailers` before its end if it was told to wait
 * for them.
 */
export interface ClientStream extends Duplex {
  readonly closed: boolean;
  readonly rstCode: number;
  readonly headersSent: boolean;
  readonly endAfterHeaders: boolean;
  respond(headers?: OutgoingHttpHeaders, options?: ServerStreamResponseOptions): void;
  sendTrailers(headers: OutgoingHttpHeaders): void;
  close(code?: number): void;
}

/**
 * Once a call is answered, tells the client not to send the rest of the request (RFC 9113, 8.1).
 * grpc-go does the same.
 */
export function stopReadingAtEnd(stream: ClientStream): void {
  if (stream.writableFinished) stopReading(stream);
  else {
    stream.once('finish', () => {
      stopReading(stream);
    });
  }
}

/**
 * Like {@link stopReadingAtEnd}, for an answer whose last frame was handed over. What has arrived by
 * then is dropped. grpc-js leaves it unread, and node:http2 would keep the stream, and with it the
 * connection at a stop, until all of it is read.
 */
export function stopReading(stream: ClientStream): void {
  setImmediate(() => {
    if (stream.readableEnded || stream.destroyed) return;
    if (!stream.closed) stream.close();
    stream.removeAllListeners('data').resume();
  });
}
