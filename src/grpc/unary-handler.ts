import { type handleUnaryCall, Metadata, type ServerUnaryCall, status } from '@grpc/grpc-js';

import { toErrorTrace } from '../lock/error-message';
import { LockError } from '../lock/lock-errors';
import type { Logger } from '../lock/logger';
import type { ApiCall, ApiObserver, ApiResult, ObservedCall } from '../sidecar/api-observer';
import type { UnaryMethod } from './dapr-methods';
import { CallRefusedError, toGrpcStatus } from './grpc-status';
import { RequestDecodeError } from './request-decoder';

/**
 * Turns a method of the table into a grpc-js handler that answers exactly once. grpc-js leaves a
 * call unanswered for ever when its handler is an async function that rejects, so this is the
 * one place where a promise meets a callback.
 */
export function toUnaryHandler(
  method: UnaryMethod,
  { logger, observer }: { readonly logger: Logger; readonly observer: ApiObserver },
): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    const observed = observer.begin(toApiCall(method, call));
    const cancel = new AbortController();
    // grpc-js emits this for a hang-up and for a passed deadline, which it answers by itself.
    call.on('cancelled', () => {
      cancel.abort();
    });
    answer(method, call, { signal: cancel.signal, observed }).then(
      (response) => {
        sendTrace(call, observed);
        callback(null, response);
        observed?.end(toResult(call, { status: status.OK, responseBytes: response.length }));
      },
      (error: unknown) => {
        if (!isExpected(error)) logger.error(`${method.path} failed: ${toErrorTrace(error)}`);
        const answered = toGrpcStatus(error);
        callback(answered);
        const errorCode = error instanceof LockError ? error.errorCode : undefined;
        observed?.end(toResult(call, { status: answered.code, responseBytes: 0, errorCode }));
      },
    );
  };
}

/** The message is decoded, and answered, unless the client's tracing headers are broken. */
async function answer(
  method: UnaryMethod,
  call: ServerUnaryCall<Buffer, Buffer>,
  {
    signal,
    observed,
  }: { readonly signal: AbortSignal; readonly observed: ObservedCall | undefined },
): Promise<Buffer> {
  if (observed?.refusal !== undefined) throw new CallRefusedError(observed.refusal);
  const lockObserver = observed?.lockObserver;
  return method.call(call.request, { signal, metadata: metadataReader(call), lockObserver });
}

/** An error is answered by trailers alone, as daprd does. */
function sendTrace(
  call: ServerUnaryCall<Buffer, Buffer>,
  observed: ObservedCall | undefined,
): void {
  if (observed?.responseTraceBin === undefined) return;
  const metadata = new Metadata();
  metadata.set('grpc-trace-bin', observed.responseTraceBin);
  const { baggage } = observed.responseHeaders;
  if (baggage !== undefined) metadata.set('baggage', baggage);
  call.sendMetadata(metadata);
}

function toApiCall({ path }: UnaryMethod, call: ServerUnaryCall<Buffer, Buffer>): ApiCall {
  const [, remoteAddress, remotePort] = /^(.*):(\d+)$/.exec(call.getPeer()) ?? [];
  return {
    protocol: 'grpc',
    verb: 'POST',
    path,
    target: path,
    operation: path.split('/').at(-1),
    header: metadataReader(call),
    headerNames: () => Object.keys(call.metadata.getMap()),
    binary: (name) => {
      const [value] = call.metadata.get(name);
      return Buffer.isBuffer(value) ? value : undefined;
    },
    remoteAddress,
    remotePort: remotePort === undefined ? undefined : Number(remotePort),
    requestBytes: call.request.length,
  };
}

function toResult(
  call: ServerUnaryCall<Buffer, Buffer>,
  result: {
    readonly status: number;
    readonly responseBytes: number;
    readonly errorCode?: string | undefined;
  },
): ApiResult {
  const { errorCode } = result;
  return { ...result, requestBytes: call.request.length, errorCode, isLogged: true };
}

function isExpected(error: unknown): boolean {
  return (
    error instanceof LockError ||
    error instanceof RequestDecodeError ||
    error instanceof CallRefusedError
  );
}

function metadataReader(call: ServerUnaryCall<Buffer, Buffer>) {
  return (key: string): string | undefined => firstValue(call.metadata, key);
}

/** The first text value of a metadata key; a binary value counts as absent. */
export function firstValue(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key)[0];
  return typeof value === 'string' ? value : undefined;
}
