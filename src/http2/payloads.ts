import type { Frame } from './frame-reader';
import { CODE, ConnectionError, FLAG, MOST_31_BITS } from './protocol';

/** Length of the priority in HEADERS and of PRIORITY, in bytes (RFC 9113, 6.2 and 6.3). */
const PRIORITY_BYTES = 5;

/** The content of a DATA or HEADERS frame without its padding (RFC 9113, 6.1). */
export function withoutPadding({ payload, flags }: Frame): Buffer {
  if ((flags & FLAG.padded) === 0) return payload;
  const [padding = Infinity] = payload;
  if (padding < payload.length) return payload.subarray(1, payload.length - padding);
  throw new ConnectionError(CODE.protocolError, 'a frame with more padding than content');
}

/** The stream on which a PRIORITY frame, or HEADERS with a priority, makes its stream depend. */
export function dependencyOf(payload: Buffer, flags: number): number | undefined {
  if ((flags & FLAG.priority) === 0) return undefined;
  if (payload.length >= PRIORITY_BYTES) return payload.readUInt32BE() & MOST_31_BITS;
  throw new ConnectionError(CODE.frameSizeError, 'HEADERS that are too short for their priority');
}

/** The header block in HEADERS without its priority, which is ignored (RFC 9113, 5.3.2). */
export function withoutPriority(payload: Buffer, flags: number): Buffer {
  return (flags & FLAG.priority) === 0 ? payload : payload.subarray(PRIORITY_BYTES);
}

/** The number that RST_STREAM and WINDOW_UPDATE consist of (RFC 9113, 6.4 and 6.9). */
export function toNumber({ payload, type }: Frame): number {
  if (payload.length === 4) return payload.readUInt32BE();
  throw new ConnectionError(
    CODE.frameSizeError,
    `a frame of type ${type} with ${payload.length} bytes`,
  );
}

/** True for a PRIORITY frame of the right length. */
export function isPriority(payload: Buffer): boolean {
  return payload.length === PRIORITY_BYTES;
}
