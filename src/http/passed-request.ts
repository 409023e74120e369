import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';

import { toErrorMessage } from '../base/error-message';
import { MOST_COLLECTED_BYTES } from '../upstream/collected-answers';
import type { HttpUpstream } from '../upstream/http-upstream';
import type { PassedStream } from '../upstream/passed-streams';
import { UpstreamError, upstreamErrors } from '../upstream/upstream-error';
import {
  type Fields,
  type PassedFields,
  toPassedFields,
  toPassedTrailers,
  unknownCodingOf,
  withField,
  without,
} from './passed-fields';

/** A request to pass on. */
export interface ArrivedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The request target as it was received. */
  readonly target: string;
  /** The headers of the request, as {@link IncomingMessage.rawHeaders}. */
  readonly rawHeaders: readonly string[];
  /** Names and values in turn that are added to the answer. */
  readonly ownFields: readonly string[];
  /** True for a field of the upstream's answer that is left out. */
  readonly isDropped: (name: string) => boolean;
  /** Changes the complete body of a successful answer. Undefined if it is passed on as it is. */
  readonly change?: ((body: Buffer) => Buffer) | undefined;
}

/** The methods that may be sent a second time (RFC 9110, 9.2.2) and usually have no body. */
const REPEATABLE: readonly (string | undefined)[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

const NO_BYTES = Buffer.alloc(0);

/** The codes of a connection that the upstream closed before it read a request. */
const CLOSED_EARLY: readonly unknown[] = ['ECONNRESET', 'EPIPE'];

/**
 * One request that is passed on. Target, header fields and bodies are sent as they were received,
 * except for the fields that belong to a connection. Bodies are streams in both directions; each
 * side waits for the other. A client that leaves ends the request, and an upstream that is lost
 * within its answer ends the client's connection.
 */
export class PassedRequest implements PassedStream {
  readonly #arrived: ArrivedRequest;
  readonly #fields: PassedFields;
  readonly #upstream: HttpUpstream;
  readonly #fail: (error: UpstreamError) => void;
  #sent: ClientRequest | undefined;
  #isAnswered = false;
  #answeredAtMs: number | undefined;

  /** @param fail answers a request whose answer has not begun */
  constructor(
    arrived: ArrivedRequest,
    upstream: HttpUpstream,
    fail: (error: UpstreamError) => void,
  ) {
    this.#arrived = arrived;
    this.#fields = toPassedFields(arrived.rawHeaders);
    this.#upstream = upstream;
    this.#fail = fail;
  }

  get answeredAtMs(): number | undefined {
    return this.#answeredAtMs;
  }

  /** Breaks off the answer: a clean end would make a part of it look like all. */
  stop(): void {
    this.#arrived.response.destroy();
  }

  /** Starts the request. It ends with the response. */
  begin(): void {
    const { request, response } = this.#arrived;
    response.once('close', () => {
      // Node keeps the upstream's connection if both messages are complete.
      this.#sent?.destroy();
      request.unpipe();
      request.resume();
    });
    this.#send();
  }

  #send(): void {
    const { request, response } = this.#arrived;
    const sent = this.#try(() => this.#open());
    if (sent === undefined) return;
    this.#sent = sent;
    sent.on('error', (error) => {
      this.#onError(sent, error);
    });
    sent.once('response', (answer) => {
      this.#answer(answer);
    });
    sent.once('upgrade', (_answer, socket) => {
      socket.destroy();
      const { endpoint } = this.#upstream;
      this.#end(upstreamErrors.garbled(endpoint, 'it changes the protocol without being asked'));
    });
    // A client of HTTP/1.0 would take them for the answer (RFC 9110, 15.2).
    if (request.httpVersion !== '1.0') passInterim(sent, response);
    request.once('end', () => {
      attempt(() => {
        sent.addTrailers(toPassedTrailers(request.rawTrailers));
      });
    });
    if (hasBody(request)) sendHead(sent);
    this.#guard(sent);
    request.pipe(sent);
  }

  /** A body that no field delimits would be read as the next request. None of it is sent. */
  #guard(sent: ClientRequest): void {
    const { request, response } = this.#arrived;
    const { isChunked, hasLength } = this.#fields;
    if (isChunked || hasLength) return;
    request.once('data', () => {
      request.unpipe(sent);
      sent.destroy();
      response.destroy();
    });
  }

  #open(): ClientRequest {
    const { request, target } = this.#arrived;
    const { raw, isChunked, hasLength } = this.#fields;
    const { host } = this.#upstream;
    const withHost = host === undefined ? raw : withField(raw, 'host', host);
    // Node would announce a body in chunks for a POST that has none.
    const length = isChunked || hasLength || !expectsBody(request) ? [] : ['Content-Length', '0'];
    const chunked = isChunked ? ['Transfer-Encoding', 'chunked'] : [];
    const rawHeaders = [...withHost, ...length, ...chunked];
    return this.#upstream.send({ method: request.method ?? 'GET', target, rawHeaders });
  }

  #answer(answer: IncomingMessage): void {
    this.#isAnswered = true;
    const cut = (): void => {
      if (!answer.complete) this.#cut();
    };
    answer.once('error', cut).once('close', cut);
    const coding = unknownCodingOf(answer.rawHeaders);
    if (coding !== undefined) {
      const reason = `its transfer encoding is ${coding} (allowed: chunked)`;
      this.#end(upstreamErrors.garbled(this.#upstream.endpoint, reason));
      return;
    }
    const { change } = this.#arrived;
    if (change === undefined || answer.statusCode !== 200) this.#pipe(answer);
    else this.#collect(answer, change);
  }

  /** The answer has broken off. A clean end would make a part of it look like all. */
  #cut(): void {
    const { response } = this.#arrived;
    if (response.writableEnded) return;
    if (response.headersSent) response.destroy();
    else this.#end(upstreamErrors.lost(this.#upstream.endpoint, 'it broke off its answer'));
  }

  #pipe(answer: IncomingMessage): void {
    const { response } = this.#arrived;
    const { raw, hasLength } = toPassedFields(answer.rawHeaders);
    if (!this.#writeHead(answer, raw)) return;
    if (!hasLength) this.#answeredAtMs = performance.now();
    sendHead(response);
    answer.once('end', () => {
      attempt(() => {
        if (answer.complete && response.chunkedEncoding)
          response.addTrailers(toPassedTrailers(answer.rawTrailers));
      });
    });
    answer.pipe(response);
  }

  #collect(answer: IncomingMessage, change: (body: Buffer) => Buffer): void {
    const pieces: Buffer[] = [];
    let bytes = 0;
    answer.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= MOST_COLLECTED_BYTES) pieces.push(piece);
      else {
        const reason = `its metadata have more than ${MOST_COLLECTED_BYTES} bytes`;
        this.#end(upstreamErrors.garbled(this.#upstream.endpoint, reason));
        answer.destroy();
      }
    });
    answer.once('end', () => {
      const body = this.#try(() => change(Buffer.concat(pieces)));
      if (body === undefined) return;
      const { raw } = toPassedFields(answer.rawHeaders);
      const fields = withField(raw, 'content-length', String(body.length));
      if (this.#writeHead(answer, fields)) this.#arrived.response.end(body);
    });
  }

  /** Returns false if the head can't be sent. The request is answered with an error then. */
  #writeHead({ statusCode = 502, statusMessage = '' }: IncomingMessage, raw: Fields): boolean {
    const { response, ownFields, isDropped } = this.#arrived;
    const { method, httpVersion } = this.#arrived.request;
    // Node refuses to announce trailers in an answer that has no chunks.
    const hasChunks =
      method !== 'HEAD' && httpVersion !== '1.0' && ![204, 304].includes(statusCode);
    const isLeftOut = (name: string) =>
      isDropped(name) ||
      (name === 'trailer' && !hasChunks) ||
      // Such an answer has no body, whatever it says (RFC 9110, 8.6).
      (name === 'content-length' && statusCode === 204);
    const fields = [...without(raw, isLeftOut), ...ownFields];
    // Otherwise Node would add a date to an answer without one.
    response.sendDate = false;
    return this.#try(() => response.writeHead(statusCode, statusMessage, fields)) !== undefined;
  }

  /** Node throws for fields that it does not send. */
  #try<T>(send: () => T): T | undefined {
    try {
      return send();
    } catch (error) {
      const isKnown = error instanceof UpstreamError;
      const { endpoint } = this.#upstream;
      this.#end(isKnown ? error : upstreamErrors.garbled(endpoint, toErrorMessage(error)));
      return undefined;
    }
  }

  #onError(sent: ClientRequest, error: Error & { readonly code?: string }): void {
    if (this.#isAnswered || sent !== this.#sent) return;
    if (this.#arrived.response.destroyed) return;
    if (sent.reusedSocket && CLOSED_EARLY.includes(error.code) && this.#mayRepeat) {
      this.#send();
      return;
    }
    this.#arrived.request.unpipe(sent);
    this.#end(this.#upstream.toError(sent, error));
  }

  get #mayRepeat(): boolean {
    const { request } = this.#arrived;
    return REPEATABLE.includes(request.method) && !hasBody(request);
  }

  #end(error: UpstreamError): void {
    this.#isAnswered = true;
    const { response } = this.#arrived;
    if (!response.headersSent && !response.destroyed) this.#fail(error);
  }
}

/** Passes informational answers on, as far as Node sends them. */
function passInterim(sent: ClientRequest, response: ServerResponse): void {
  sent.on('continue', () => {
    attempt(() => {
      response.writeContinue();
    });
  });
  sent.on('information', ({ statusCode, headers: { link } }) => {
    attempt(() => {
      if (statusCode === 102) response.writeProcessing();
      if (statusCode === 103 && link !== undefined) {
        response.writeEarlyHints({ link: [link].flat() });
      }
    });
  });
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Node announces a body for all methods but these. */
function expectsBody({ method = '' }: IncomingMessage): boolean {
  return !['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'].includes(method);
}

/**
 * Sends the head of a message before there is any of its body. Node's `flushHeaders` encodes it as
 * UTF-8, and so an octet above 127 as two. Before bytes it is written as it was received, as Latin-1.
 */
function sendHead(message: ClientRequest | ServerResponse): void {
  message.write(NO_BYTES);
}

/** Sends what a message can do without. Node throws for what it does not send. */
function attempt(send: () => void): void {
  try {
    send();
  } catch {
    // The message goes on without it.
  }
}
