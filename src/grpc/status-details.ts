import { Writer } from 'protobufjs/minimal';

const TYPES = 'type.googleapis.com/google.rpc.';

/** The `domain` of the ErrorInfo of all errors, as in daprd (dapr/dapr pkg/messaging/v1). */
export const ERROR_DOMAIN = 'dapr.io';

/** The details of a status, for programs. */
export interface StatusDetails {
  /** The code of the error catalogue: the `reason` of an ErrorInfo. Undefined for no ErrorInfo. */
  readonly errorCode?: string | undefined;
  /** Seconds after which the call may succeed: the delay of a RetryInfo. Undefined for no RetryInfo. */
  readonly retryAfterSeconds?: number | undefined;
}

/**
 * The tag that precedes a field in protobuf: the field number and, in three bits, the wire type.
 */
const tag = (field: number, wireType: 0 | 2): number => (field << 3) | wireType;

/**
 * Encodes the trailer `grpc-status-details-bin`: a `google.rpc.Status` with an `ErrorInfo` and a
 * `RetryInfo` detail (googleapis google/rpc/status.proto, error_details.proto). It is written field
 * by field, because a server that refuses thousands of calls a second should not spend time on
 * looking up message types.
 *
 * Clients read the pause and add jitter of their own. The trailer `grpc-retry-pushback-ms` is not
 * sent, because all clients would then retry at exactly the same time.
 */
export function encodeStatusDetails(code: number, message: string, details: StatusDetails): Buffer {
  const { errorCode, retryAfterSeconds } = details;
  const writer = Writer.create();
  writer.uint32(tag(1, 0)).int32(code);
  writer.uint32(tag(2, 2)).string(message);
  if (errorCode !== undefined) {
    addDetail(writer, 'ErrorInfo', (value) => {
      value.uint32(tag(1, 2)).string(errorCode).uint32(tag(2, 2)).string(ERROR_DOMAIN);
    });
  }
  if (retryAfterSeconds !== undefined) {
    // RetryInfo.retry_delay, a Duration: its seconds.
    addDetail(writer, 'RetryInfo', (value) => {
      value.uint32(tag(1, 2)).fork().uint32(tag(1, 0)).int64(retryAfterSeconds).ldelim();
    });
  }
  return Buffer.from(writer.finish());
}

/** Status.details, a google.protobuf.Any: the type name and the encoded message. */
function addDetail(writer: Writer, type: string, write: (value: Writer) => void): void {
  writer.uint32(tag(3, 2)).fork();
  writer.uint32(tag(1, 2)).string(TYPES + type);
  writer.uint32(tag(2, 2)).fork();
  write(writer);
  writer.ldelim().ldelim();
}
