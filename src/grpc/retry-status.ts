import { Writer } from 'protobufjs/minimal';

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

/**
 * The tag that precedes a field in protobuf: the field number and, in three bits, the wire type.
 */
const tag = (field: number, wireType: 0 | 2): number => (field << 3) | wireType;

/**
 * Encodes the trailer `grpc-status-details-bin` for a call that may be retried: a
 * `google.rpc.Status` with one `RetryInfo` detail (googleapis google/rpc/status.proto,
 * error_details.proto). It is written field by field, because a server that refuses thousands of
 * calls a second should not spend time on looking up message types.
 *
 * Clients read the pause and add jitter of their own. The trailer `grpc-retry-pushback-ms` is not
 * sent, because all clients would then retry at exactly the same time.
 */
export function encodeRetryStatus(code: number, message: string, afterSeconds: number): Buffer {
  const writer = Writer.create();
  writer.uint32(tag(1, 0)).int32(code);
  writer.uint32(tag(2, 2)).string(message);
  // Status.details, a google.protobuf.Any: the type name and the encoded message.
  writer.uint32(tag(3, 2)).fork();
  writer.uint32(tag(1, 2)).string(RETRY_INFO);
  // RetryInfo.retry_delay, a Duration: its seconds.
  writer.uint32(tag(2, 2)).fork();
  writer.uint32(tag(1, 2)).fork();
  writer.uint32(tag(1, 0)).int64(afterSeconds);
  writer.ldelim().ldelim().ldelim();
  return Buffer.from(writer.finish());
}
