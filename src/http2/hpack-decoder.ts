import { DynamicTable, sizeOfField } from './dynamic-table';
import { compressionError, HpackReader } from './hpack-reader';
import type { HuffmanDecoder } from './huffman';
import { STATIC_TABLE } from './static-table';

/** The size of the dynamic table unless settings say otherwise, in bytes (RFC 9113, 6.5.2). */
export const HEADER_TABLE_BYTES = 4096;

/**
 * The longest block whose result is kept, in bytes. A client that repeats a call sends indices
 * alone, a few tens of bytes.
 */
const MOST_KEPT_BYTES = 256;

/** A decoded header block. Calls share one object if their blocks are equal: do not change it. */
export interface FieldList {
  /** Names and values in turn, each octet as the character with its number. */
  readonly fields: readonly string[];
  /** As SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113, 6.5.2). */
  readonly bytes: number;
  /** True if the list is longer than allowed. The rest of the fields is missing then. */
  readonly isTooLong: boolean;
}

/** A block without an effect on the table, the table that it was decoded with, and its fields. */
interface KnownBlock {
  readonly block: Buffer;
  readonly version: number;
  readonly list: FieldList;
}

/** The decoder of a connection (RFC 7541). Every header block must pass through it, in order. */
export class HpackDecoder {
  readonly #table = new DynamicTable(HEADER_TABLE_BYTES);
  readonly #huffman: HuffmanDecoder;
  readonly #maxListBytes: number;
  #known: KnownBlock | undefined;

  /** @param maxListBytes the limit of a list, as {@link FieldList.bytes} counts */
  constructor(huffman: HuffmanDecoder, maxListBytes: number) {
    this.#huffman = huffman;
    this.#maxListBytes = maxListBytes;
  }

  /**
   * Decodes a complete block. Keeps the last one and its list: most clients repeat a call with the
   * same block, and then neither this nor the checks of a request are done again.
   *
   * @throws {ConnectionError} COMPRESSION_ERROR: the table no longer agrees with the client's
   */
  decode(block: Buffer): FieldList {
    const { version } = this.#table;
    const known = this.#known;
    if (known?.version === version && known.block.equals(block)) return known.list;
    const list = this.#decode(new HpackReader(block, this.#huffman));
    const isRepeatable = this.#table.version === version && block.length <= MOST_KEPT_BYTES;
    this.#known = isRepeatable ? { block: Buffer.from(block), version, list } : undefined;
    return list;
  }

  #decode(reader: HpackReader): FieldList {
    const fields: string[] = [];
    let bytes = 0;
    this.#readSizeUpdates(reader);
    while (!reader.isAtEnd) {
      const [name, value] = this.#readField(reader);
      bytes += sizeOfField(name, value);
      // The rest is still read, because it may change the table.
      if (bytes <= this.#maxListBytes) fields.push(name, value);
    }
    return { fields, bytes, isTooLong: bytes > this.#maxListBytes };
  }

  /** Changes of the table's size, which are allowed at the beginning of a block (RFC 7541, 4.2). */
  #readSizeUpdates(reader: HpackReader): void {
    while (!reader.isAtEnd && isSizeUpdate(reader.next)) {
      const size = reader.integer(5);
      if (size > HEADER_TABLE_BYTES) throw compressionError('a table larger than allowed');
      this.#table.resize(size);
    }
  }

  #readField(reader: HpackReader): readonly [name: string, value: string] {
    const { next } = reader;
    // Indexed (RFC 7541, 6.1).
    if (next >= 0x80) return this.#entry(reader.integer(7));
    if (isSizeUpdate(next)) throw compressionError('a change of the table size after a field');
    // Literal with incremental indexing (6.2.1); without it, or never indexed (6.2.2 and 6.2.3).
    const isAdded = next >= 0x40;
    const index = reader.integer(isAdded ? 6 : 4);
    const name = index === 0 ? reader.string() : this.#entry(index)[0];
    const value = reader.string();
    if (isAdded) this.#table.add(name, value);
    return [name, value];
  }

  /** The static table and after it the dynamic one (RFC 7541, 2.3.3). */
  #entry(index: number): readonly [name: string, value: string] {
    const known = STATIC_TABLE[index - 1];
    if (known !== undefined) return known;
    const at = index - STATIC_TABLE.length - 1;
    const name = index === 0 ? undefined : this.#table.nameAt(at);
    const value = this.#table.valueAt(at);
    if (name === undefined || value === undefined) {
      throw compressionError(`a header field with the index ${index}, which nothing has`);
    }
    return [name, value];
  }
}

/** The pattern 001 (RFC 7541, 6.3). */
function isSizeUpdate(octet: number): boolean {
  return octet >> 5 === 1;
}
