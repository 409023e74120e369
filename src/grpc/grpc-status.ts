import { Metadata, status } from '@grpc/grpc-js';

import { StreamsFullError } from '../api/event-streams';
import { LockError } from '../lock/lock-errors';
import { MetadataFullError } from '../sidecar/metadata';
import { RequestDecodeError } from './request-decoder';
import { encodeRetryStatus } from './retry-status';

/**
 * Maximum length of a status message in bytes, as encoded on the wire. Python and Java clients
 * refuse more than 8 KiB of headers and trailers, and would then show that error instead of ours.
 */
const MAX_MESSAGE_BYTES = 4096;

/** A status that ends a call, in a form that handlers and interceptors accept. */
export interface GrpcStatus {
  readonly code: status;
  readonly details: string;
  /** Sent as trailers. */
  readonly metadata?: Metadata;
}

/**
 * A call is refused because of the call itself, whatever it asks for. The message is sent to the
 * client.
 */
export class CallRefusedError extends Error {
  override readonly name = 'CallRefusedError';
}

/** The message for a defect. Its own text goes only to the log. */
const UNEXPECTED = 'internal error';

/** The status of a successful call. */
export const OK_STATUS: GrpcStatus = { code: status.OK, details: 'OK' };

/** False for a defect, which must be logged. */
export function isExpected(error: unknown): boolean {
  return (
    error instanceof LockError ||
    error instanceof RequestDecodeError ||
    error instanceof MetadataFullError ||
    error instanceof StreamsFullError ||
    error instanceof CallRefusedError
  );
}

/** Converts an error of a method to the status for the client. */
export function toGrpcStatus(error: unknown): GrpcStatus {
  if (error instanceof LockError) return toRetryStatus(status[error.grpcCode], error);
  if (error instanceof StreamsFullError) return toRetryStatus(status.RESOURCE_EXHAUSTED, error);
  if (error instanceof RequestDecodeError) return statusOf(status.INTERNAL, error.message);
  if (error instanceof MetadataFullError) return statusOf(status.RESOURCE_EXHAUSTED, error.message);
  if (error instanceof CallRefusedError) return statusOf(status.INVALID_ARGUMENT, error.message);
  return statusOf(status.INTERNAL, UNEXPECTED);
}

function toRetryStatus(
  code: status,
  { message, retryAfterSeconds }: Pick<LockError, 'message' | 'retryAfterSeconds'>,
): GrpcStatus {
  if (retryAfterSeconds === undefined) return statusOf(code, message);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', encodeRetryStatus(code, message, retryAfterSeconds));
  return statusOf(code, message, metadata);
}

/**
 * Creates a status with a message that can be sent: cut to {@link MAX_MESSAGE_BYTES}, and without
 * lone surrogates.
 */
export function statusOf(code: status, message: string, metadata?: Metadata): GrpcStatus {
  const details = clip(message.toWellFormed());
  return metadata === undefined ? { code, details } : { code, details, metadata };
}

function clip(message: string): string {
  // grpc-js sends the message as encodeURI encodes it: at most nine bytes per UTF-16 unit.
  if (message.length * 9 <= MAX_MESSAGE_BYTES) return message;
  let bytes = 0;
  let kept = '';
  for (const character of message) {
    bytes += encodeURI(character).length;
    if (bytes > MAX_MESSAGE_BYTES) return `${kept}…`;
    kept += character;
  }
  return message;
}
