import type { OutgoingHttpHeaders } from 'node:http2';
import { Duplex } from 'node:stream';

import { encodeFields } from '../../http2/hpack-encoder';
import { CODE } from '../../http2/protocol';
import type { ServerStream } from '../../http2/server-stream';
import type { ClientStream } from '../client-stream';
import { toFields } from './answer-blocks';
import type { Receiver } from './begun-stream';

/**
 * The client's side of a passed call, in the form of a stream of node:http2, to which the upstream's
 * stream is connected. Content counts against the windows until it was piped on.
 */
export class PassedStream extends Duplex implements ClientStream {
  /** Receives the events of the HTTP/2 stream. */
  readonly receiver: Receiver = {
    data: (bytes) => {
      this.#receive(bytes);
    },
    ended: () => {
      this.push(null);
    },
    drained: () => {
      this.#drained();
    },
    closed: (code) => {
      this.#close(code);
    },
  };
  readonly #stream: ServerStream;
  #code: number = CODE.noError;
  #unreadBytes = 0;
  #waitsForTrailers = false;
  #onDrained: (() => void) | undefined;

  constructor(stream: ServerStream) {
    super({ autoDestroy: false });
    this.#stream = stream;
  }

  get rstCode(): number {
    return this.#code;
  }

  get headersSent(): boolean {
    return this.#stream.hasResponded;
  }

  get endAfterHeaders(): boolean {
    return this.#stream.endsWithHead;
  }

  /** @throws {RangeError} for a status that an answer can't begin with, as node:http2 does */
  respond(
    headers: OutgoingHttpHeaders = {},
    options: { readonly endStream?: boolean; readonly waitForTrailers?: boolean } = {},
  ): void {
    const { endStream = false, waitForTrailers = false } = options;
    assertFinalStatus(headers[':status']);
    this.#waitsForTrailers = waitForTrailers;
    this.#stream.respond(encodeFields(toFields(headers)), { isEnd: endStream });
    if (endStream) this.end();
  }

  sendTrailers(headers: OutgoingHttpHeaders): void {
    const fields = toFields(headers);
    this.#stream.end(fields.length === 0 ? undefined : encodeFields(fields));
  }

  /** Ends the stream at once. */
  close(code: number = CODE.noError): void {
    this.#stream.reset(code);
  }

  /** Called by Duplex when there is room for more, which a pipe makes. */
  override _read(): void {
    this.#consume();
  }

  override _write(bytes: Buffer, _encoding: string, callback: () => void): void {
    if (this.#stream.write(bytes)) callback();
    else this.#onDrained = callback;
  }

  override _final(callback: () => void): void {
    if (this.#waitsForTrailers) this.emit('wantTrailers');
    callback();
  }

  #receive(bytes: Buffer): void {
    this.#unreadBytes += bytes.length;
    // They are valid during this call only.
    if (this.destroyed) this.#consume();
    else this.push(Buffer.from(bytes));
  }

  #drained(): void {
    const listener = this.#onDrained;
    this.#onDrained = undefined;
    listener?.();
  }

  #close(code: number): void {
    this.#code = code;
    this.#consume();
    this.destroy();
  }

  #consume(): void {
    const bytes = this.#unreadBytes;
    this.#unreadBytes = 0;
    if (bytes > 0) this.#stream.consume(bytes);
  }
}

/** Codes from 200 to 599 (RFC 9110, 15). Those below are of informational answers. */
function assertFinalStatus(status: OutgoingHttpHeaders[string]): void {
  if (/^[2-5]\d\d$/.test(String(status ?? 200))) return;
  throw new RangeError(`Invalid status code: ${String(status)}`);
}
