import { CODE, ConnectionError, FLAG } from './protocol';

/**
 * The most CONTINUATION frames of a block. A block within the limit of a list needs four; a client
 * that splits it into more and more never ends it (CVE-2024-27316).
 */
const MOST_CONTINUATIONS = 16;

/** The header block of one stream, while it arrives (RFC 9113, 4.3). */
export interface ArrivingBlock {
  readonly streamId: number;
  /** True if the stream has no content after it. */
  readonly isEnd: boolean;
  /** True if the frame's priority makes the stream depend on itself. */
  readonly dependsOnItself: boolean;
}

/** Joins HEADERS and its CONTINUATION frames into one block. */
export class HeaderBlocks {
  readonly #maxBytes: number;
  #arriving: ArrivingBlock | undefined;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** @param maxBytes limit of an encoded block that consists of several frames */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The block that is not complete, after which nothing but its CONTINUATION may come. */
  get arriving(): ArrivingBlock | undefined {
    return this.#arriving;
  }

  /** Begins a block with the part in HEADERS. Returns it if it is complete. */
  begin(block: ArrivingBlock, part: Buffer, flags: number): Buffer | undefined {
    if ((flags & FLAG.endHeaders) !== 0) return part;
    this.#arriving = block;
    this.#keep(part);
    return undefined;
  }

  /**
   * Adds the part in a CONTINUATION frame. Returns the block if it is complete.
   *
   * @throws {ConnectionError} ENHANCE_YOUR_CALM if it has too many parts or bytes
   */
  continue(part: Buffer, flags: number): Buffer | undefined {
    this.#keep(part);
    if (this.#bytes > this.#maxBytes || this.#parts.length > 1 + MOST_CONTINUATIONS) {
      throw new ConnectionError(CODE.enhanceYourCalm, 'a header block that does not end');
    }
    if ((flags & FLAG.endHeaders) === 0) return undefined;
    const block = Buffer.concat(this.#parts);
    this.#arriving = undefined;
    this.#parts = [];
    this.#bytes = 0;
    return block;
  }

  #keep(part: Buffer): void {
    // A payload is valid until the next read only.
    this.#parts.push(Buffer.from(part));
    this.#bytes += part.length;
  }
}
