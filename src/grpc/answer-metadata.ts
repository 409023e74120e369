import type { OutgoingHttpHeaders } from 'node:http2';

/** What is sent as it is: printable ASCII (gRPC over HTTP/2, ASCII-Value). */
const TEXT = /^[ -~]*$/;

/**
 * Metadata that is sent with an answer, as headers or as trailers. Names are lower-case, and those of
 * bytes end with `-bin` (gRPC over HTTP/2, Custom-Metadata).
 */
export class AnswerMetadata {
  readonly #values = new Map<string, string | Buffer>();

  /** @throws {Error} for a text that can't be sent */
  set(name: string, value: string | Buffer): void {
    if (typeof value === 'string' && !TEXT.test(value)) {
      throw new Error(`the metadata ${name} has characters that are not printable ASCII`);
    }
    this.#values.set(name, value);
  }

  /** Names and values, in the order in which they were first set. */
  entries(): Iterable<readonly [name: string, value: string | Buffer]> {
    return this.#values;
  }

  /** In the form of node:http2: bytes are in base64. */
  toHttp2Headers(): OutgoingHttpHeaders {
    const headers: OutgoingHttpHeaders = {};
    for (const [name, value] of this.#values) {
      headers[name] = typeof value === 'string' ? value : value.toString('base64');
    }
    return headers;
  }
}
