import { createGunzip, createInflate, gunzipSync, inflateSync } from 'node:zlib';

import { type GrpcStatus, statusOf } from './grpc-status';
import { Status } from './status';

/** Memory that zlib needs to decompress one message, in bytes: its window and its buffers. */
const UNPACKER_BYTES = 65_536;

/**
 * Messages that decompress to at most this size, in bytes, are decompressed synchronously. That is
 * faster than using another thread, and thousands of them do not hold memory at the same time.
 */
const SHORT_BYTES = 16 * 1024;

/** The limits of decompression. */
export interface InflateLimits {
  /** Maximum size of a decompressed message, in bytes. -1 means no limit. */
  readonly maxBytes: number;
  /** Reserves memory, in bytes. Returns false if there is none left. */
  readonly take: (bytes: number) => boolean;
}

/**
 * Decompresses a message and reserves memory for each piece of output, because four kilobytes can
 * decompress to four megabytes. Rejects with a {@link GrpcStatus} that has grpc-js's texts.
 */
export function inflate(
  bytes: Buffer,
  encoding: string,
  { maxBytes, take }: InflateLimits,
): Promise<Buffer> {
  if (encoding !== 'gzip' && encoding !== 'deflate') return rejectWith(unsupported(encoding));
  const short = inflateShort(bytes, encoding, maxBytes);
  if (short !== undefined) return take(short.length) ? Promise.resolve(short) : rejectWith(full());
  if (!take(UNPACKER_BYTES)) return rejectWith(full());
  const unpacker = encoding === 'gzip' ? createGunzip() : createInflate();
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const end = (reason: GrpcStatus) => {
      unpacker.destroy();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- grpc-js sends it
      reject(reason);
    };
    unpacker.on('error', () => {
      end(statusOf(Status.INTERNAL, 'Failed to decompress message'));
    });
    unpacker.on('data', (part: Buffer) => {
      parts.push(part);
      length += part.length;
      if (maxBytes !== -1 && length > maxBytes) end(tooLong(maxBytes));
      else if (!take(part.length)) end(full());
    });
    unpacker.on('end', () => {
      resolve(Buffer.concat(parts));
    });
    unpacker.end(bytes);
  });
}

/** Undefined if the message is too long for the synchronous way, invalid, or above the limit. */
function inflateShort(
  bytes: Buffer,
  encoding: 'gzip' | 'deflate',
  maxBytes: number,
): Buffer | undefined {
  if (bytes.length > SHORT_BYTES) return undefined;
  const maxOutputLength = maxBytes === -1 ? SHORT_BYTES : Math.min(maxBytes, SHORT_BYTES);
  try {
    return (encoding === 'gzip' ? gunzipSync : inflateSync)(bytes, { maxOutputLength });
  } catch {
    return undefined;
  }
}

function rejectWith(reason: GrpcStatus): Promise<never> {
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- grpc-js sends it
  return Promise.reject(reason);
}

function unsupported(encoding: string): GrpcStatus {
  return statusOf(
    Status.UNIMPLEMENTED,
    `Received message compressed with unsupported encoding "${encoding}"`,
  );
}

function tooLong(maxBytes: number): GrpcStatus {
  return statusOf(
    Status.RESOURCE_EXHAUSTED,
    `Received message that decompresses to a size larger than ${maxBytes}`,
  );
}

/** The status of a call for which no memory is left. */
export function full(): GrpcStatus {
  return statusOf(
    Status.RESOURCE_EXHAUSTED,
    'The memory limit for requests in flight is reached; retry later',
  );
}
