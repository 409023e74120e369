import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  sensitiveHeaders,
  type ServerStreamResponseOptions,
} from 'node:http2';

import { status } from '@grpc/grpc-js';

import { toErrorMessage } from '../base/error-message';
import { describeConnectError } from '../upstream/connect-socket';
import type { PassedStream } from '../upstream/passed-streams';
import type { SessionPool } from '../upstream/session-pool';
import { upstreamErrors } from '../upstream/upstream-error';
import type { ClientStream } from './client-stream';
import { toGrpcStatus } from './grpc-status';
import { stopReading, stopReadingAtEnd } from './grpc-js-call';
import { whenDeadlinePasses } from './grpc-timeout';
import { toSentHeaders } from './passed-headers';
import { endStream, toTrailersOnly } from './trailers-only';

/** A call as it arrived, with its headers in both of node:http2's forms. */
export interface ArrivedCall {
  readonly stream: ClientStream;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

/** Changes the answers to a method, in place of passing them on as they are. */
export interface AnswerJoint {
  /** Headers of the request that are sent instead of the client's own. */
  readonly requestHeaders: OutgoingHttpHeaders;
  /** The most bytes of an answer. A longer one ends the call with an error. */
  readonly maxBytes: number;
  /** Changes the complete body of an answer. An error that it throws ends the call. */
  change(answer: Buffer): Buffer;
}

/**
 * One call that is passed on. Its frames are copied from one HTTP/2 stream to the other: nothing is
 * decoded, so every kind of call, every encoding and every header works as with the upstream
 * itself. Streams wait for each other by HTTP/2's flow control, so no more than a window of each is
 * in memory.
 */
export class PassedCall implements PassedStream {
  readonly #call: ArrivedCall;
  readonly #pool: SessionPool;
  readonly #joint: AnswerJoint | undefined;
  #upstream: ClientHttp2Stream | undefined;
  #trailers: OutgoingHttpHeaders = {};
  /** True once the trailers have arrived, so that the answer is whole. */
  #isComplete = false;
  #problem: unknown;
  #answeredAtMs: number | undefined;
  #status: status | undefined;

  constructor(call: ArrivedCall, pool: SessionPool, joint: AnswerJoint | undefined) {
    this.#call = call;
    this.#pool = pool;
    this.#joint = joint;
  }

  /** The gRPC status of the ended call. Call this after its stream has closed. */
  get status(): status {
    const { rstCode } = this.#call.stream;
    if (this.#status !== undefined) return this.#status;
    return rstCode === constants.NGHTTP2_CANCEL ? status.CANCELLED : status.UNKNOWN;
  }

  /** When the answer began, on the monotonic clock. Undefined before that. */
  get answeredAtMs(): number | undefined {
    return this.#answeredAtMs;
  }

  /** Starts the call. It ends with the client's stream. */
  begin(): void {
    const { stream } = this.#call;
    // An error of the client's stream is reported by its close as well.
    stream.on('error', () => undefined);
    stream.once('close', () => {
      this.#leave();
    });
    const session = this.#pool.take();
    if (session === undefined) this.#wait();
    else this.#connect(session);
  }

  /** Ends the call with an error, whether its answer has begun or not. */
  fail(error: unknown): void {
    const { stream } = this.#call;
    if (stream.destroyed || stream.closed) return;
    const answer = toGrpcStatus(error);
    this.#status = answer.code;
    const headers = toTrailersOnly(answer);
    if (!stream.headersSent) {
      endStream(stream, headers);
      stopReadingAtEnd(stream);
      return;
    }
    this.#trailers = withoutPseudo(headers);
    this.#upstream?.unpipe(stream);
    stream.end();
  }

  stop(): void {
    this.fail(upstreamErrors.stopping());
  }

  /** Waits for a connection, but not longer than the client does. */
  #wait(): void {
    const { headers, stream } = this.#call;
    const release = whenDeadlinePasses(headers, () => {
      this.fail(upstreamErrors.deadline(this.#pool.endpoint));
    });
    this.#pool.open().then(
      (session) => {
        release();
        if (stream.destroyed || stream.closed || stream.headersSent) this.#pool.give(session);
        else this.#connect(session);
      },
      (error: unknown) => {
        release();
        if (!stream.headersSent) this.fail(error);
      },
    );
  }

  #connect(session: ClientHttp2Session): void {
    const { stream } = this.#call;
    const endStream = stream.endAfterHeaders;
    const upstream = this.#try(() => session.request(this.#requestHeaders(), { endStream }));
    if (upstream === undefined) {
      this.#pool.give(session);
      return;
    }
    this.#upstream = upstream;
    this.#listen(upstream, session);
    if (endStream) stream.resume();
    else stream.pipe(upstream);
  }

  #listen(upstream: ClientHttp2Stream, session: ClientHttp2Session): void {
    upstream.on('error', (error) => {
      this.#problem = error;
    });
    upstream.once('response', (_headers, flags, rawHeaders?: readonly string[]) => {
      this.#answer(session, flags, rawHeaders ?? []);
    });
    upstream.once('trailers', (_headers, _flags, rawHeaders?: readonly string[]) => {
      this.#trailers = this.#note(toSentHeaders(rawHeaders ?? []));
      this.#isComplete = true;
    });
    upstream.once('close', () => {
      this.#pool.give(session);
      this.#close(session);
    });
  }

  #requestHeaders(): OutgoingHttpHeaders {
    const { authority, scheme } = this.#pool;
    const { headers, rawHeaders } = this.#call;
    const sent = {
      ...toSentHeaders(rawHeaders),
      ...this.#joint?.requestHeaders,
      ':scheme': scheme,
      ...(authority === undefined ? {} : { ':authority': authority }),
      [sensitiveHeaders]: (headers as Record<symbol, unknown>)[sensitiveHeaders] ?? [],
    };
    return sent;
  }

  #answer(session: ClientHttp2Session, flags: number, rawHeaders: readonly string[]): void {
    const { stream } = this.#call;
    const upstream = this.#upstream;
    if (upstream === undefined || stream.destroyed || stream.closed) return;
    this.#answeredAtMs = performance.now();
    const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const headers = isWhole ? this.#note(toSentHeaders(rawHeaders)) : toSentHeaders(rawHeaders);
    stream.once('wantTrailers', () => {
      this.#try(() => {
        stream.sendTrailers(this.#trailers);
      });
      stopReading(stream);
    });
    const isSent = this.#try(() => {
      stream.respond(headers, toResponseOptions(isWhole));
      return true;
    });
    if (isSent === undefined) {
      upstream.close(constants.NGHTTP2_CANCEL);
      return;
    }
    if (isWhole) stopReadingAtEnd(stream);
    if (isWhole) upstream.resume();
    else if (this.#joint === undefined) upstream.pipe(stream, { end: false });
    else this.#collect(upstream, this.#joint);
    upstream.once('end', () => {
      // node:http2 also ends a stream whose connection was lost. That shows only after this event.
      if (this.#isComplete) stream.end();
      else
        setImmediate(() => {
          this.#endWithoutTrailers(upstream, session);
        });
    });
  }

  #endWithoutTrailers({ rstCode }: ClientHttp2Stream, session: ClientHttp2Session): void {
    const { stream } = this.#call;
    if (session.destroyed || this.#problemIsLoss()) this.#lose();
    else if (rstCode === constants.NGHTTP2_NO_ERROR) stream.end();
    else stream.close(rstCode);
  }

  #collect(upstream: ClientHttp2Stream, joint: AnswerJoint): void {
    const pieces: Buffer[] = [];
    let bytes = 0;
    upstream.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= joint.maxBytes) pieces.push(piece);
    });
    upstream.once('end', () => {
      this.#try(() => {
        if (bytes > joint.maxBytes) throw new Error(`it has more than ${joint.maxBytes} bytes`);
        this.#call.stream.write(joint.change(Buffer.concat(pieces)));
      });
    });
  }

  #lose(): void {
    const reason = describeConnectError(this.#problem ?? 'it closed the connection');
    this.fail(upstreamErrors.lost(this.#pool.endpoint, reason));
  }

  /** node:http2 throws for headers that it does not send. The call ends with an error then. */
  #try<T>(send: () => T): T | undefined {
    try {
      return send();
    } catch (error) {
      this.fail(upstreamErrors.garbled(this.#pool.endpoint, toErrorMessage(error)));
      return undefined;
    }
  }

  /** Notes the status that the upstream sent. */
  #note(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
    const name = status[Number(headers['grpc-status'])];
    if (name !== undefined) this.#status = status[name as keyof typeof status];
    return headers;
  }

  /** The upstream's stream has closed, by its end or before it. */
  #close(session: ClientHttp2Session): void {
    const { stream } = this.#call;
    const upstream = this.#upstream;
    if (upstream === undefined || stream.destroyed || stream.closed) return;
    if (stream.writableEnded || this.#isComplete) return;
    const { rstCode } = upstream;
    if (rstCode !== constants.NGHTTP2_NO_ERROR && !session.destroyed && !this.#problemIsLoss()) {
      stream.close(rstCode);
    } else if (!upstream.readableEnded) this.#lose();
  }

  #problemIsLoss(): boolean {
    const { code } = (this.#problem ?? {}) as { readonly code?: string };
    return code !== undefined && code !== 'ERR_HTTP2_STREAM_ERROR';
  }

  /** The client's stream has closed: the upstream need not work on any longer. */
  #leave(): void {
    const { rstCode } = this.#call.stream;
    const upstream = this.#upstream;
    if (upstream === undefined || upstream.closed || upstream.destroyed) return;
    upstream.close(rstCode === constants.NGHTTP2_NO_ERROR ? constants.NGHTTP2_CANCEL : rstCode);
  }
}

/** Without the date that node:http2 adds by default. */
function toResponseOptions(endStream: boolean): ServerStreamResponseOptions {
  const options = { endStream, waitForTrailers: !endStream, sendDate: false };
  return options;
}

/** Trailers have no pseudo headers and no content type. */
function withoutPseudo(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const names = Object.keys(headers).filter((name) => name.startsWith('grpc-'));
  return Object.fromEntries(names.map((name) => [name, headers[name]]));
}
