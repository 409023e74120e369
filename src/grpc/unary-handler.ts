import { type handleUnaryCall, Metadata, type ServerUnaryCall, status } from '@grpc/grpc-js';

import type { MethodCall } from '../api/api-method';
import type { ApiObserver, ApiResult, ObservedCall } from '../api/api-observer';
import { Cancellation } from '../base/cancellation';
import { toErrorTrace } from '../base/error-message';
import type { Logger } from '../base/logger';
import { LockError } from '../lock/lock-errors';
import type { Connection } from './connection';
import type { Connections } from './connections';
import { firstValue, GrpcApiCall } from './grpc-api-call';
import { isAnswerSent, sessionOf } from './grpc-js-call';
import type { GrpcUnaryMethod } from './grpc-method';
import { CallRefusedError, isExpected, toGrpcStatus } from './grpc-status';
import { toTraceHeaders } from './trace-headers';

/** The parts that all handlers share. */
export interface UnaryHandlerOptions {
  readonly logger: Logger;
  readonly observer: ApiObserver;
  readonly connections: Connections;
}

/**
 * Turns a method of the table into a grpc-js handler that answers exactly once. If a handler is an
 * async function that rejects, grpc-js never answers the call. This is therefore the only place
 * where a promise is connected to a callback.
 */
export function toUnaryHandler(
  method: GrpcUnaryMethod,
  { logger, observer, connections }: UnaryHandlerOptions,
): handleUnaryCall<Buffer, Buffer> {
  const { row } = method;
  return (call, callback) => {
    const observed = observer.begin(new GrpcApiCall(row, call));
    const context = new UnaryCall(call, observed, connections);
    answer(method, call.request, context).then(
      (response) => {
        sendTrace(call, observed);
        callback(null, response, context.trailers);
        observed?.end(toResult(call, { status: status.OK, responseBytes: response.length }));
      },
      (error: unknown) => {
        if (!isExpected(error)) logger.error(`${row.grpcPath} failed: ${toErrorTrace(error)}`);
        const answered = toGrpcStatus(error, row);
        callback(answered);
        const errorCode = error instanceof LockError ? error.errorCode : undefined;
        observed?.end(toResult(call, { status: answered.code, responseBytes: 0, errorCode }));
      },
    );
  };
}

/** The parts of a call that a method can see in addition to the message. */
class UnaryCall implements MethodCall {
  readonly signal = new Cancellation();
  /** Sent after the answer; undefined for none. */
  trailers: Metadata | undefined;
  readonly #call: ServerUnaryCall<Buffer, Buffer>;
  readonly #observed: ObservedCall | undefined;
  readonly #connections: Connections;
  /** Its connection while it waits. */
  #waitsOn: Connection | undefined;

  constructor(
    call: ServerUnaryCall<Buffer, Buffer>,
    observed: ObservedCall | undefined,
    connections: Connections,
  ) {
    this.#call = call;
    this.#observed = observed;
    this.#connections = connections;
    // grpc-js emits this event once per call: when the client cancels, when the deadline passes
    // (grpc-js answers that itself), and at the end of every other call.
    call.on('cancelled', () => {
      if (!isAnswerSent(call)) this.signal.abort();
      if (this.#waitsOn !== undefined) connections.stopWaiting(this.#waitsOn);
    });
  }

  get observer() {
    return this.#observed?.lockObserver;
  }

  get refusal(): string | undefined {
    return this.#observed?.refusal;
  }

  attach(key: string, value: string): void {
    this.trailers ??= new Metadata();
    this.trailers.set(key, value);
  }

  waits(): void {
    if (this.signal.aborted) return;
    this.#waitsOn = this.#connections.of(sessionOf(this.#call));
    if (this.#waitsOn !== undefined) this.#connections.wait(this.#waitsOn);
  }

  metadata(key: string): string | undefined {
    return firstValue(this.#call.metadata, key);
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
function sendTrace(
  call: ServerUnaryCall<Buffer, Buffer>,
  observed: ObservedCall | undefined,
): void {
  const headers = toTraceHeaders(observed);
  if (headers !== undefined) call.sendMetadata(headers);
}

function toResult(
  call: ServerUnaryCall<Buffer, Buffer>,
  result: {
    readonly status: number;
    readonly responseBytes: number;
    readonly errorCode?: string | undefined;
  },
): ApiResult {
  const { status: code, responseBytes, errorCode } = result;
  const requestBytes = call.request.length;
  return { status: code, responseBytes, requestBytes, errorCode, isLogged: true };
}
