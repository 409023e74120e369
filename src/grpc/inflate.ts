import { createGunzip, createInflate } from 'node:zlib';

import { status } from '@grpc/grpc-js';

import { type GrpcStatus, statusOf } from './grpc-status';

/** What zlib takes to unpack one message, in bytes: its window and its buffers. */
const UNPACKER_BYTES = 65_536;

/** What unpacking is held to. */
export interface InflateLimits {
  /** Longest message taken, in bytes; -1 for no limit. */
  readonly maxBytes: number;
  /** Asks for memory, in bytes; false where there is no more. */
  readonly take: (bytes: number) => boolean;
}

/**
 * Unpacks a compressed message, and pays for each piece as it comes out: a message of four kilobytes
 * can unpack to four megabytes. Rejects with a {@link GrpcStatus}, in grpc-js's words.
 */
export function inflate(
  bytes: Buffer,
  encoding: string,
  { maxBytes, take }: InflateLimits,
): Promise<Buffer> {
  if (encoding !== 'gzip' && encoding !== 'deflate') return rejectWith(unsupported(encoding));
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
      end(statusOf(status.INTERNAL, 'Failed to decompress message'));
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

function rejectWith(reason: GrpcStatus): Promise<never> {
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- grpc-js sends it
  return Promise.reject(reason);
}

function unsupported(encoding: string): GrpcStatus {
  return statusOf(
    status.UNIMPLEMENTED,
    `Received message compressed with unsupported encoding "${encoding}"`,
  );
}

function tooLong(maxBytes: number): GrpcStatus {
  return statusOf(
    status.RESOURCE_EXHAUSTED,
    `Received message that decompresses to a size larger than ${maxBytes}`,
  );
}

/** The status of a call for which there is no memory left. */
export function full(): GrpcStatus {
  return statusOf(
    status.RESOURCE_EXHAUSTED,
    'The requests under way hold as many bytes as this sidecar has room for',
  );
}
