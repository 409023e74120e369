import type { MethodRow } from '../api/api-method';
import { StreamsFullError } from '../api/event-streams';
import { LockError } from '../lock/lock-errors';
import { MetadataFullError } from '../sidecar/metadata';
import { UpstreamError, type UpstreamFailure } from '../upstream/upstream-error';
import { RequestDecodeError } from './request-decoder';
import { encodeStatusDetails, type StatusDetails } from './status-details';
import { AnswerMetadata } from './answer-metadata';
import { Status } from './status';

/**
 * Maximum length of a status message in bytes, as encoded on the wire. Python and Java clients
 * refuse more than 8 KiB of headers and trailers, and would then show that error instead of ours.
 */
const MAX_MESSAGE_BYTES = 4096;

/** A status that ends a call, in a form that handlers and interceptors accept. */
export interface GrpcStatus {
  readonly code: Status;
  readonly details: string;
  /** Sent as trailers. */
  readonly metadata?: AnswerMetadata;
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
export const OK_STATUS: GrpcStatus = { code: Status.OK, details: 'OK' };

/** False for a defect, which must be logged. */
export function isExpected(error: unknown): boolean {
  return (
    error instanceof LockError ||
    error instanceof RequestDecodeError ||
    error instanceof MetadataFullError ||
    error instanceof StreamsFullError ||
    error instanceof CallRefusedError ||
    error instanceof UpstreamError
  );
}

/**
 * Converts an error of a method to the status for the client. Errors of the native API have an
 * ErrorInfo with the code of the catalogue; those of Dapr's methods are as daprd's, without one.
 *
 * @param row the method that failed; left out for methods of gRPC itself
 */
export function toGrpcStatus(error: unknown, row?: Pick<MethodRow, 'access'>): GrpcStatus {
  const { code, message, errorCode, retryAfterSeconds } = toFailure(error);
  const isNative = row?.access === 'locks';
  return withDetails(code, message, {
    errorCode: isNative ? errorCode : undefined,
    retryAfterSeconds,
  });
}

/** The codes of calls that could not be passed on, or whose answer could not. */
const UPSTREAM_CODES: Readonly<Record<UpstreamFailure, Status>> = {
  unavailable: Status.UNAVAILABLE,
  lost: Status.UNAVAILABLE,
  garbled: Status.INTERNAL,
  overloaded: Status.RESOURCE_EXHAUSTED,
  deadline: Status.DEADLINE_EXCEEDED,
};

/** A failed call: its status, and its code in the catalogue where it has one. */
interface Failure extends StatusDetails {
  readonly code: Status;
  readonly message: string;
}

function toFailure(error: unknown): Failure {
  if (error instanceof LockError) {
    const { message, errorCode, retryAfterSeconds } = error;
    return { code: Status[error.grpcCode], message, errorCode, retryAfterSeconds };
  }
  if (error instanceof StreamsFullError) {
    const { message, errorCode, retryAfterSeconds } = error;
    return { code: Status.RESOURCE_EXHAUSTED, message, errorCode, retryAfterSeconds };
  }
  if (error instanceof UpstreamError) {
    const { failure, message, retryAfterSeconds } = error;
    return { code: UPSTREAM_CODES[failure], message, retryAfterSeconds };
  }
  if (error instanceof RequestDecodeError) {
    const { message } = error;
    return { code: Status.INTERNAL, message, errorCode: 'ERR_MALFORMED_REQUEST' };
  }
  if (error instanceof MetadataFullError) {
    return { code: Status.RESOURCE_EXHAUSTED, message: error.message };
  }
  if (error instanceof CallRefusedError) {
    return { code: Status.INVALID_ARGUMENT, message: error.message };
  }
  return { code: Status.INTERNAL, message: UNEXPECTED, errorCode: 'ERR_INTERNAL' };
}

function withDetails(code: Status, message: string, details: StatusDetails): GrpcStatus {
  const { errorCode, retryAfterSeconds } = details;
  if (errorCode === undefined && retryAfterSeconds === undefined) return statusOf(code, message);
  const metadata = new AnswerMetadata();
  // It is sent twice, so that half of the space is there for each.
  const shown = clip(message.toWellFormed(), MAX_MESSAGE_BYTES / 2);
  metadata.set('grpc-status-details-bin', encodeStatusDetails(code, shown, details));
  return { code, details: shown, metadata };
}

/**
 * Creates a status with a message that can be sent: cut to {@link MAX_MESSAGE_BYTES}, and without
 * lone surrogates.
 */
export function statusOf(code: Status, message: string, metadata?: AnswerMetadata): GrpcStatus {
  const details = clip(message.toWellFormed(), MAX_MESSAGE_BYTES);
  return metadata === undefined ? { code, details } : { code, details, metadata };
}

function clip(message: string, mostBytes: number): string {
  // grpc-js sends the message as encodeURI encodes it: at most nine bytes per UTF-16 unit.
  if (message.length * 9 <= mostBytes) return message;
  let bytes = 0;
  let kept = '';
  for (const character of message) {
    bytes += encodeURI(character).length;
    if (bytes > mostBytes) return `${kept}…`;
    kept += character;
  }
  return message;
}
