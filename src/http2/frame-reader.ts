import { CODE, ConnectionError, FRAME_HEADER_BYTES, LEAST_MAX_FRAME_BYTES } from './protocol';

/** A complete frame (RFC 9113, 4.1). Its payload is valid until the next read only. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** The bit before the id of a stream, which is ignored (RFC 9113, 4.1). */
const WITHOUT_RESERVED_BIT = 0x7fff_ffff;

/**
 * Splits the bytes of a connection into frames. An incomplete frame is kept, at most
 * {@link LEAST_MAX_FRAME_BYTES} of it; complete ones are not copied.
 */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES);
  #headerLength = 0;
  /** Of the frame whose header has been read. */
  #payload: Buffer | undefined;
  #payloadLength = 0;

  /** @param onFrame called for each frame, in order; what it throws ends {@link read} */
  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /**
   * Reads received bytes.
   *
   * @throws {ConnectionError} FRAME_SIZE_ERROR for a frame that is too long (RFC 9113, 4.2)
   */
  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const isWithin = this.#payload !== undefined || this.#headerLength > 0;
      const end = isWithin ? -1 : this.#readWhole(bytes, at);
      at = end === -1 ? this.#readPart(bytes, at) : end;
    }
  }

  /** Reads a frame that has arrived as a whole. Returns its end, or -1 if it has not. */
  #readWhole(bytes: Buffer, at: number): number {
    if (bytes.length - at < FRAME_HEADER_BYTES) return -1;
    const start = at + FRAME_HEADER_BYTES;
    const end = start + toLength(bytes, at);
    if (end > bytes.length) return -1;
    this.#emit(bytes, at, bytes.subarray(start, end));
    return end;
  }

  /** Reads a piece of a frame. Returns the end of the piece. */
  #readPart(bytes: Buffer, at: number): number {
    if (this.#payload === undefined) return this.#readHeader(bytes, at);
    const end = Math.min(bytes.length, at + this.#payload.length - this.#payloadLength);
    bytes.copy(this.#payload, this.#payloadLength, at, end);
    this.#payloadLength += end - at;
    this.#emitIfComplete();
    return end;
  }

  #readHeader(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + FRAME_HEADER_BYTES - this.#headerLength);
    bytes.copy(this.#header, this.#headerLength, at, end);
    this.#headerLength += end - at;
    if (this.#headerLength < FRAME_HEADER_BYTES) return end;
    this.#payload = Buffer.allocUnsafe(toLength(this.#header, 0));
    this.#payloadLength = 0;
    this.#emitIfComplete();
    return end;
  }

  #emitIfComplete(): void {
    const payload = this.#payload;
    if (payload === undefined || this.#payloadLength < payload.length) return;
    this.#payload = undefined;
    this.#headerLength = 0;
    this.#emit(this.#header, 0, payload);
  }

  #emit(header: Buffer, at: number, payload: Buffer): void {
    const type = header[at + 3] ?? 0;
    const flags = header[at + 4] ?? 0;
    const streamId = header.readUInt32BE(at + 5) & WITHOUT_RESERVED_BIT;
    this.#onFrame({ type, flags, streamId, payload });
  }
}

function toLength(header: Buffer, at: number): number {
  const length = header.readUIntBE(at, 3);
  if (length <= LEAST_MAX_FRAME_BYTES) return length;
  throw new ConnectionError(
    CODE.frameSizeError,
    `a frame of ${length} bytes; the longest is ${LEAST_MAX_FRAME_BYTES}`,
  );
}
