import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  sensitiveHeaders,
  type ServerStreamResponseOptions,
} from 'node:http2';

import { toErrorMessage } from '../base/error-message';
import { describeConnectError } from '../upstream/connect-socket';
import type { PassedStream } from '../upstream/passed-streams';
import type { SessionPool } from '../upstream/session-pool';
import { upstreamErrors } from '../upstream/upstream-error';
import { type AnswerJoint, collectAnswer } from './answer-joint';
import { type ClientStream, stopReading, stopReadingAtEnd } from './client-stream';
import { toGrpcStatus } from './grpc-status';
import { whenDeadlinePasses } from './grpc-timeout';
import { toSentHeaders } from './passed-headers';
import { endStream, toTrailers, toTrailersOnly } from './trailers-only';
import { Status } from './status';

/** A call as it arrived, with its headers in both of node:http2's forms. */
export interface ArrivedCall {
  readonly stream: ClientStream;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
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
  #status: Status | undefined;

  constructor(call: ArrivedCall, pool: SessionPool, joint: AnswerJoint | undefined) {
    this.#call = call;
    this.#pool = pool;
    this.#joint = joint;
  }

  /** The gRPC status of the ended call. Call this after its stream has closed. */
  get status(): Status {
    const { rstCode } = this.#call.stream;
    if (this.#status !== undefined) return this.#status;
    return rstCode === constants.NGHTTP2_CANCEL ? Status.CANCELLED : Status.UNKNOWN;
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
    // After a reset without an error, node:http2 waits until all has been read and written. Both may
    // wait for the client. In a later turn, so that a reset of our own has been sent.
    stream.once('aborted', () => {
      setImmediate(() => stream.destroy());
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
    this.#drop();
    if (!stream.headersSent) {
      endStream(stream, toTrailersOnly(answer));
      stopReadingAtEnd(stream);
      return;
    }
    this.#trailers = toTrailers(answer);
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
    // After a reset without an error, node:http2 waits until all has been written, which is never.
    upstream.once('end', () => {
      if (upstream.aborted) setImmediate(() => upstream.destroy());
    });
    upstream.once('close', () => {
      this.#pool.give(session);
      this.#drop();
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
      this.#drop();
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
    if (isWhole) {
      upstream.resume();
      this.#drop();
      stopReadingAtEnd(stream);
    } else if (this.#joint === undefined) upstream.pipe(stream, { end: false });
    else this.#change(upstream, this.#joint);
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

  #change(upstream: ClientHttp2Stream, joint: AnswerJoint): void {
    collectAnswer(upstream, joint, (change) => {
      this.#try(() => this.#call.stream.write(change()));
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
    const name = Status[Number(headers['grpc-status'])];
    if (name !== undefined) this.#status = Status[name as keyof typeof Status];
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

  /**
   * Drops the rest of the request, which nobody wants any more. node:http2 does not close a stream
   * before all that it has received was read, and a pipe that has lost its target reads nothing.
   */
  #drop(): void {
    const { stream } = this.#call;
    if (this.#upstream !== undefined) stream.unpipe(this.#upstream);
    stream.resume();
  }

  #problemIsLoss(): boolean {
    const { code } = (this.#problem ?? {}) as { readonly code?: string };
    return code !== undefined && code !== 'ERR_HTTP2_STREAM_ERROR';
  }

  /** The client's stream has closed: the upstream need not work on any longer. */
  #leave(): void {
    const { rstCode } = this.#call.stream;
    const upstream = this.#upstream;
    if (upstream === undefined || upstream.destroyed) return;
    // It may be reset by the upstream at the same moment. Its close waits for a reader then.
    upstream.unpipe(this.#call.stream).resume();
    if (upstream.closed) {
      upstream.destroy();
      return;
    }
    upstream.close(rstCode === constants.NGHTTP2_NO_ERROR ? constants.NGHTTP2_CANCEL : rstCode);
    // If a reset without an error of the upstream crosses this one, node:http2 takes that for the end, and
    // waits until all has been written, which is never. In a later turn, when this reset has been sent.
    setImmediate(() => upstream.destroy());
  }
}

/** Without the date that node:http2 adds by default. */
function toResponseOptions(endStream: boolean): ServerStreamResponseOptions {
  const options = { endStream, waitForTrailers: !endStream, sendDate: false };
  return options;
}
