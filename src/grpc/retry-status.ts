import { Writer } from 'protobufjs/minimal';

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

/** What protobuf puts before a field: its number and, in three bits, how its value is written. */
const tag = (field: number, wireType: 0 | 2): number => (field << 3) | wireType;

/**
 * The bytes of the trailer `grpc-status-details-bin` for a call that may be made again: a
 * `google.rpc.Status` with the one detail `RetryInfo` (googleapis google/rpc/status.proto,
 * error_details.proto). Written field by field: a server that refuses thousands of calls a second has
 * better things to do than to look up message types.
 *
 * Clients read the pause and add jitter of their own. The trailer `grpc-retry-pushback-ms` would have
 * all of them come back at exactly the same time, so it is not sent.
 */
export function encodeRetryStatus(code: number, message: string, afterSeconds: number): Buffer {
  const writer = Writer.create();
  writer.uint32(tag(1, 0)).int32(code);
  writer.uint32(tag(2, 2)).string(message);
  // Status.details, a google.protobuf.Any: the name of the type, and its bytes.
  writer.uint32(tag(3, 2)).fork();
  writer.uint32(tag(1, 2)).string(RETRY_INFO);
  // RetryInfo.retry_delay, a Duration: its seconds.
  writer.uint32(tag(2, 2)).fork();
  writer.uint32(tag(1, 2)).fork();
  writer.uint32(tag(1, 0)).int64(afterSeconds);
  writer.ldelim().ldelim().ldelim();
  return Buffer.from(writer.finish());
}
