import type { HuffmanDecoder } from './huffman';
import { CODE, ConnectionError } from './protocol';

/** The most octets after the prefix of an integer. Five hold more than any length or index needs. */
const MOST_INTEGER_OCTETS = 5;

/** The bit that says that a string is Huffman-coded (RFC 7541, 5.2). */
const HUFFMAN_BIT = 0x80;

/** Creates the error for a header block that can't be decoded (RFC 9113, 4.3). */
export function compressionError(reason: string): ConnectionError {
  return new ConnectionError(CODE.compressionError, reason);
}

/** Reads the primitive types of HPACK (RFC 7541, 5) from a header block. */
export class HpackReader {
  readonly #block: Buffer;
  readonly #huffman: HuffmanDecoder;
  #at = 0;

  constructor(block: Buffer, huffman: HuffmanDecoder) {
    this.#block = block;
    this.#huffman = huffman;
  }

  /** True at the end of the block. */
  get isAtEnd(): boolean {
    return this.#at === this.#block.length;
  }

  /** The next octet, which is not consumed. */
  get next(): number {
    const octet = this.#block[this.#at];
    if (octet === undefined) throw compressionError('a header block ends within a field');
    return octet;
  }

  /** Reads an integer with a prefix of so many bits (RFC 7541, 5.1). */
  integer(prefixBits: number): number {
    const most = 2 ** prefixBits - 1;
    let value = this.next & most;
    this.#at += 1;
    if (value < most) return value;
    for (let count = 0; count < MOST_INTEGER_OCTETS; count += 1) {
      const octet = this.next;
      this.#at += 1;
      value += (octet & 0x7f) * 2 ** (7 * count);
      if (octet < 0x80) return value;
    }
    throw compressionError('an integer in a header block is too long');
  }

  /** Reads a string (RFC 7541, 5.2). Each octet becomes the character with its number. */
  string(): string {
    const isCoded = (this.next & HUFFMAN_BIT) !== 0;
    const length = this.integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#block.length) throw compressionError('a header block ends within a string');
    this.#at = end;
    if (!isCoded) return this.#block.toString('latin1', start, end);
    const text = this.#huffman.decode(this.#block.subarray(start, end));
    if (text === undefined) throw compressionError('a string is not Huffman-coded as it must be');
    return text;
  }
}
