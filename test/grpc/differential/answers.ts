import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
} from 'node:http2';

import type { RawCall } from './calls';

/** The answer of a server to a call: all that a client can see, apart from times and sizes of frames. */
export interface RawAnswer {
  readonly head: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly content: string;
  /** How the stream ended: NO_ERROR, or the code of RST_STREAM. Undefined if it did not. */
  readonly code: number | undefined;
}

/** How long an answer may take, in milliseconds. */
const WITHIN_MS = 60_000;

/** Makes calls on one connection. */
export class RawClient {
  readonly #session: ClientHttp2Session;

  constructor(port: number) {
    this.#session = connect(`http://127.0.0.1:${port}`);
    this.#session.on('error', () => undefined);
  }

  close(): void {
    this.#session.destroy();
  }

  /** Makes a call and waits for all of the answer. */
  async call({ path, fields, pieces, staysOpen = false }: RawCall): Promise<RawAnswer> {
    const stream = this.#session.request({ ':method': 'POST', ':path': path, ...fields });
    const parts: Buffer[] = [];
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('response', (received) => {
      head = received;
    });
    stream.on('trailers', (received: IncomingHttpHeaders) => {
      trailers = received;
    });
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', () => undefined);
    for (const piece of pieces) stream.write(piece);
    if (!staysOpen) stream.end();
    const code = await codeAtEnd(stream);
    if (code === undefined) stream.destroy();
    const content = Buffer.concat(parts).toString('hex');
    return { head: withoutDate(head), trailers: { ...trailers }, content, code };
  }
}

/** The code with which a stream has ended, or undefined if it has not in time. */
function codeAtEnd(stream: ClientHttp2Stream): Promise<number | undefined> {
  return new Promise((resolve) => {
    // Not by AbortSignal.timeout, which costs a seventh of all that two servers and clients do for a call.
    const timer = setTimeout(() => {
      resolve(undefined);
    }, WITHIN_MS);
    stream.on('close', () => {
      clearTimeout(timer);
      resolve(stream.rstCode);
    });
  });
}

/** Where an answer is trailers alone, these are its only header fields. Only node:http2 sends a date. */
function withoutDate({ date: _date, ...fields }: IncomingHttpHeaders): RawAnswer['head'] {
  return fields;
}
