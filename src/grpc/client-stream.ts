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
