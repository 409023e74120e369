import type { FastifyReply } from 'fastify';

import type { StreamHandler } from '../api/api-method';
import type { EventStreams } from '../api/event-streams';
import { OpenStream } from '../api/open-stream';
import type { LockObserver } from '../lock/lock-observer';
import { isEndedByClient } from '../servers/client-end';
import { toAnswer, toErrorBody } from './error-handling';
import { bytesOf } from './http-api-call';
import type { ApiRequest } from './http-method';

/**
 * The status recorded for a stream whose client disconnected before the first event. The client has
 * seen no status.
 */
const CLIENT_CLOSED_REQUEST = 499;

/**
 * A stream of events over HTTP: one line of JSON per event (application/x-ndjson). Status and
 * headers are sent with the first event, so that a failure before it is answered like the failure
 * of a unary call.
 */
export class HttpEventStream extends OpenStream<unknown> {
  readonly #request: ApiRequest;
  readonly #reply: FastifyReply;
  readonly #toLine: (event: unknown) => string;
  #streams: EventStreams | undefined;

  /** @param toLine converts an event to JSON without a line break */
  constructor(request: ApiRequest, reply: FastifyReply, toLine: (event: unknown) => string) {
    super();
    this.#request = request;
    this.#reply = reply;
    this.#toLine = toLine;
    reply.raw.once('close', () => {
      this.#close();
    });
  }

  get observer(): LockObserver | undefined {
    return this.#request.observed?.lockObserver;
  }

  metadata(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** HTTP/1.1 has no PING: a client that is gone is found by TCP alone. */
  readonly isAnswering = true;

  expectAnswers(): void {
    return;
  }

  /** Registers the stream and opens the method. */
  begin(streams: EventStreams, open: () => StreamHandler): void {
    this.start(() => {
      streams.add(this, 0);
      this.#streams = streams;
      return open();
    });
  }

  protected write(event: unknown): boolean {
    const { raw } = this.#reply;
    // The `close` event follows shortly.
    if (raw.destroyed) return false;
    this.#sendHeaders();
    if (raw.write(`${this.#toLine(event)}\n`)) return true;
    raw.once('drain', () => {
      this.drained();
    });
    return false;
  }

  protected writeEnd(): void {
    this.#sendHeaders();
    this.#reply.raw.end();
  }

  /**
   * After the first event, the error is sent as the last line, and the response is cut off without
   * its last chunk.
   */
  protected writeFailure(error: unknown): void {
    const { raw } = this.#reply;
    if (!raw.headersSent) void this.#reply.send(error);
    else if (raw.destroyed) return;
    else {
      raw.write(`${toErrorBody(toAnswer(error))}\n`, () => {
        raw.destroy();
      });
    }
  }

  #sendHeaders(): void {
    const { raw } = this.#reply;
    if (raw.headersSent) return;
    this.#reply.hijack();
    for (const [name, value] of Object.entries(this.#reply.getHeaders())) {
      if (value !== undefined) raw.setHeader(name, value);
    }
    raw.setHeader('content-type', 'application/x-ndjson');
    raw.writeHead(200);
  }

  #close(): void {
    this.#streams?.remove(this);
    if (!this.isOpen) return;
    this.lose(isEndedByClient(this.#request.raw.socket) ? 'left' : 'silent');
    if (!this.#reply.raw.headersSent) this.#endObserved();
  }

  #endObserved(): void {
    this.#request.observed?.end({
      status: CLIENT_CLOSED_REQUEST,
      responseBytes: 0,
      requestBytes: bytesOf(this.#request.headers['content-length']),
      errorCode: undefined,
      isLogged: true,
    });
  }
}
