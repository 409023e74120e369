import type { StreamEnd } from '../api/api-method';
import type { ApiObserver, ObservedCall } from '../api/api-observer';
import type { EventStreams } from '../api/event-streams';
import { OpenStream } from '../api/open-stream';
import { toErrorTrace } from '../base/error-message';
import type { Logger } from '../base/logger';
import { LockError } from '../lock/lock-errors';
import type { Connection } from './connection';
import { GrpcApiCall } from './grpc-api-call';
import type { GrpcStreamMethod } from './grpc-method';
import {
  CallRefusedError,
  type GrpcStatus,
  isExpected,
  OK_STATUS,
  toGrpcStatus,
} from './grpc-status';
import type { CallEnd, StreamServerCall } from './server-call';
import { toTraceHeaders } from './trace-headers';
import type { UncountedCalls } from './uncounted-calls';
import { Status } from './status';

/** The parts that all stream handlers share. */
export interface StreamHandlerOptions {
  readonly logger: Logger;
  readonly observer: ApiObserver;
  /** The open event streams of both transports. */
  readonly streams: EventStreams;
  readonly uncounted: UncountedCalls;
}

/** The status that is recorded for a stream whose client did not see its end. */
const LOST_STATUS: Readonly<Record<StreamEnd, GrpcStatus>> = {
  left: { code: Status.CANCELLED, details: '' },
  deadline: { code: Status.DEADLINE_EXCEEDED, details: '' },
  silent: { code: Status.UNAVAILABLE, details: '' },
};

/** Turns a streaming method of the table into a handler. */
export function toStreamHandler(
  method: GrpcStreamMethod,
  options: StreamHandlerOptions,
): (call: StreamServerCall) => void {
  return (call) => {
    const stream = new GrpcEventStream(call, method, options);
    stream.start(() => stream.begin());
  };
}

/** A stream of events over a call. The transport enforces its deadline. */
class GrpcEventStream extends OpenStream<unknown> implements CallEnd {
  readonly #call: StreamServerCall;
  readonly #method: GrpcStreamMethod;
  readonly #options: StreamHandlerOptions;
  readonly #observed: ObservedCall | undefined;
  /** Undefined if the stream was refused, because it is not counted then. */
  #connection: Connection | undefined;
  /** How often its client is asked for a sign of life, in seconds. Undefined if it is not. */
  #pingsEveryS: number | undefined;
  #sentBytes = 0;
  #answered = OK_STATUS;
  #errorCode: string | undefined;

  constructor(call: StreamServerCall, method: GrpcStreamMethod, options: StreamHandlerOptions) {
    super();
    this.#call = call;
    this.#method = method;
    this.#options = options;
    this.#observed = options.observer.begin(new GrpcApiCall(method.row, call));
    call.whenOver(this);
  }

  get observer() {
    return this.#observed?.lockObserver;
  }

  metadata(name: string): string | undefined {
    return this.#call.metadata.first(name);
  }

  get isAnswering(): boolean {
    return this.#pingsEveryS === undefined || this.#connection?.pings.isAnswering !== false;
  }

  expectAnswers(everyMs: number): void {
    if (this.isOpen) this.#pingsEveryS = this.#connection?.pings.want(everyMs);
  }

  /** Registers the stream and opens the method. */
  begin() {
    const refusal = this.#observed?.refusal;
    if (refusal !== undefined) throw new CallRefusedError(refusal);
    const { streams, uncounted } = this.#options;
    const { connection } = this.#call;
    streams.add(this, connection?.heldStreams ?? 0);
    if (connection !== undefined) uncounted.hold(connection);
    this.#connection = connection;
    return this.#method.open(this.#call.request, this);
  }

  protected write(event: unknown): boolean {
    const bytes = this.#method.encode(event);
    if (this.#sentBytes === 0) this.#sendTrace();
    // Never 0, so that the headers are sent only once.
    this.#sentBytes += Math.max(bytes.length, 1);
    if (this.#call.write(bytes)) return true;
    this.#call.whenDrained(() => {
      this.drained();
    });
    return false;
  }

  protected writeEnd(): void {
    if (this.#sentBytes === 0) this.#sendTrace();
    this.#call.end();
  }

  protected writeFailure(error: unknown): void {
    const { row } = this.#method;
    if (!isExpected(error))
      this.#options.logger.error(`${row.grpcPath} failed: ${toErrorTrace(error)}`);
    this.#answered = toGrpcStatus(error, row);
    this.#errorCode = error instanceof LockError ? error.errorCode : undefined;
    this.#call.fail(this.#answered);
  }

  #sendTrace(): void {
    const headers = toTraceHeaders(this.#observed);
    if (headers !== undefined) this.#call.sendMetadata(headers);
  }

  /** See {@link CallEnd}. */
  over(): void {
    const { streams, uncounted } = this.#options;
    streams.remove(this);
    if (this.#pingsEveryS !== undefined) this.#connection?.pings.unwant(this.#pingsEveryS);
    if (this.#connection !== undefined) uncounted.letGo(this.#connection);
    if (this.isOpen) {
      const how = this.#howItEnded();
      this.#answered = LOST_STATUS[how];
      this.lose(how);
    }
    this.#observed?.end({
      status: this.#answered.code,
      responseBytes: this.#sentBytes,
      requestBytes: this.#call.requestBytes,
      errorCode: this.#errorCode,
      isLogged: true,
    });
  }

  #howItEnded(): StreamEnd {
    if (this.#call.isPastDeadline) return 'deadline';
    return this.#connection?.isGivenUp === true ? 'silent' : 'left';
  }
}
