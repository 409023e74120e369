import { Metadata, status } from '@grpc/grpc-js';

import { StreamsFullError } from '../api/event-streams';
import { LockError } from '../lock/lock-errors';
import { MetadataFullError } from '../sidecar/metadata';
import { RequestDecodeError } from './request-decoder';
import { encodeRetryStatus } from './retry-status';

/**
 * The longest status message sent, in bytes as encoded on the wire. Python and Java clients refuse
 * more than 8 KiB of headers and trailers, and would then show that instead of the error.
 */
const MAX_MESSAGE_BYTES = 4096;

/** A status to end a call with, in the shape that both handlers and interceptors take. */
export interface GrpcStatus {
  readonly code: status;
  readonly details: string;
  /** Sent as trailers. */
  readonly metadata?: Metadata;
}

/** A call that can't be taken as it stands, whatever it asks for; the message is for the client. */
export class CallRefusedError extends Error {
  override readonly name = 'CallRefusedError';
}

/** What a defect is answered with; its own text is for the log. */
const UNEXPECTED = 'internal error';

/** The status of a call that went well. */
export const OK_STATUS: GrpcStatus = { code: status.OK, details: 'OK' };

/** False for a defect, which is for the log. */
export function isExpected(error: unknown): boolean {
  return (
    error instanceof LockError ||
    error instanceof RequestDecodeError ||
    error instanceof MetadataFullError ||
    error instanceof StreamsFullError ||
    error instanceof CallRefusedError
  );
}

/** Turns what a method rejected with into the status that the client gets. */
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

/** A status whose message can be sent: cut to {@link MAX_MESSAGE_BYTES}, free of lone surrogates. */
export function statusOf(code: status, message: string, metadata?: Metadata): GrpcStatus {
  const details = clip(message.toWellFormed());
  return metadata === undefined ? { code, details } : { code, details, metadata };
}

function clip(message: string): string {
  // grpc-js sends encodeURI's form: at most nine bytes for one UTF-16 unit.
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
