import type { MethodCall } from '../api/api-method';
import type { ApiObserver, ApiResult, ObservedCall } from '../api/api-observer';
import { Cancellation } from '../base/cancellation';
import { toErrorTrace } from '../base/error-message';
import type { Logger } from '../base/logger';
import { LockError } from '../lock/lock-errors';
import type { Connection } from './connection';
import { GrpcApiCall } from './grpc-api-call';
import type { GrpcUnaryMethod } from './grpc-method';
import { CallRefusedError, isExpected, toGrpcStatus } from './grpc-status';
import type { CallEnd, UnaryServerCall } from './server-call';
import { toTraceHeaders } from './trace-headers';
import type { UncountedCalls } from './uncounted-calls';
import { AnswerMetadata } from './answer-metadata';
import { Status } from './status';

/** The parts that all handlers share. */
export interface UnaryHandlerOptions {
  readonly logger: Logger;
  readonly observer: ApiObserver;
  readonly uncounted: UncountedCalls;
}

/**
 * Turns a method of the table into a handler that answers exactly once. This is the only place where
 * the promise of a unary method is connected to a transport.
 */
export function toUnaryHandler(
  method: GrpcUnaryMethod,
  { logger, observer, uncounted }: UnaryHandlerOptions,
): (call: UnaryServerCall) => void {
  const { row } = method;
  return (call) => {
    const observed = observer.begin(new GrpcApiCall(row, call));
    const context = new UnaryCall(call, observed, uncounted);
    answer(method, call.request, context).then(
      (response) => {
        sendTrace(call, observed);
        call.answer(response, context.trailers);
        observed?.end(toResult(call, { status: Status.OK, responseBytes: response.length }));
      },
      (error: unknown) => {
        if (!isExpected(error)) logger.error(`${row.grpcPath} failed: ${toErrorTrace(error)}`);
        const answered = toGrpcStatus(error, row);
        call.fail(answered);
        const errorCode = error instanceof LockError ? error.errorCode : undefined;
        observed?.end(toResult(call, { status: answered.code, responseBytes: 0, errorCode }));
      },
    );
  };
}

/** The parts of a call that a method can see in addition to the message. */
class UnaryCall implements MethodCall, CallEnd {
  readonly signal = new Cancellation();
  /** Sent after the answer; undefined for none. */
  trailers: AnswerMetadata | undefined;
  readonly #call: UnaryServerCall;
  readonly #observed: ObservedCall | undefined;
  readonly #uncounted: UncountedCalls;
  /** Its connection while it waits. */
  #waitsOn: Connection | undefined;

  constructor(
    call: UnaryServerCall,
    observed: ObservedCall | undefined,
    uncounted: UncountedCalls,
  ) {
    this.#call = call;
    this.#observed = observed;
    this.#uncounted = uncounted;
    call.whenOver(this);
  }

  /** See {@link CallEnd}. */
  over(): void {
    if (!this.#call.isAnswerSent) this.signal.abort();
    if (this.#waitsOn !== undefined) this.#uncounted.stopWaiting(this.#waitsOn);
  }

  get observer() {
    return this.#observed?.lockObserver;
  }

  get refusal(): string | undefined {
    return this.#observed?.refusal;
  }

  attach(key: string, value: string): void {
    this.trailers ??= new AnswerMetadata();
    this.trailers.set(key, value);
  }

  waits(): void {
    if (this.signal.aborted) return;
    this.#waitsOn = this.#call.connection;
    if (this.#waitsOn !== undefined) this.#uncounted.wait(this.#waitsOn);
  }

  metadata(key: string): string | undefined {
    return this.#call.metadata.first(key);
  }
}

/** Decodes and answers the message, unless the client's tracing headers are invalid. */
function answer(method: GrpcUnaryMethod, request: Buffer, context: UnaryCall): Promise<Buffer> {
  const { refusal } = context;
  if (refusal !== undefined) return Promise.reject(new CallRefusedError(refusal));
  return method.answer(request, context);
}

/**
 * Sends the trace headers of a successful call. As in daprd, an error consists of trailers alone.
 */
function sendTrace(call: UnaryServerCall, observed: ObservedCall | undefined): void {
  const headers = toTraceHeaders(observed);
  if (headers !== undefined) call.sendMetadata(headers);
}

function toResult(
  call: UnaryServerCall,
  result: {
    readonly status: number;
    readonly responseBytes: number;
    readonly errorCode?: string | undefined;
  },
): ApiResult {
  const { status: code, responseBytes, errorCode } = result;
  const { requestBytes } = call;
  return { status: code, responseBytes, requestBytes, errorCode, isLogged: true };
}
