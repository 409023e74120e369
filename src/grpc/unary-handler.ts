import type { handleUnaryCall, Metadata, ServerUnaryCall } from '@grpc/grpc-js';

import { toErrorTrace } from '../lock/error-message';
import { LockError } from '../lock/lock-errors';
import type { Logger } from '../lock/logger';
import type { UnaryMethod } from './dapr-methods';
import { toGrpcStatus } from './grpc-status';
import { RequestDecodeError } from './request-decoder';

/**
 * Turns a method of the table into a grpc-js handler that answers exactly once. grpc-js leaves a
 * call unanswered for ever when its handler is an async function that rejects, so this is the
 * one place where a promise meets a callback.
 */
export function toUnaryHandler(
  method: UnaryMethod,
  logger: Logger,
): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    const cancel = new AbortController();
    // grpc-js emits this for a hang-up and for a passed deadline, which it answers by itself.
    call.on('cancelled', () => {
      cancel.abort();
    });
    const context = { signal: cancel.signal, metadata: metadataReader(call) };
    method.call(call.request, context).then(
      (response) => {
        callback(null, response);
      },
      (error: unknown) => {
        if (!isExpected(error)) logger.error(`${method.path} failed: ${toErrorTrace(error)}`);
        callback(toGrpcStatus(error));
      },
    );
  };
}

function isExpected(error: unknown): boolean {
  return error instanceof LockError || error instanceof RequestDecodeError;
}

function metadataReader(call: ServerUnaryCall<Buffer, Buffer>) {
  return (key: string): string | undefined => firstValue(call.metadata, key);
}

/** The first text value of a metadata key; a binary value counts as absent. */
export function firstValue(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key)[0];
  return typeof value === 'string' ? value : undefined;
}
