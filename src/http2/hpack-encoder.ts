import { encodeHuffman } from './huffman-encoder';
import { STATIC_TABLE } from './static-table';

/** The change of the size of the dynamic table to zero (RFC 7541, 6.3). */
const EMPTY_TABLE = Buffer.from([0x20]);

/** Clients on nghttp2 (Node's) read no string of more than 64 KiB, as it is encoded. */
const MOST_UNCODED_BYTES = 32 * 1024;

/**
 * Fields that are never to be stored by anything on the way (RFC 7541, 7.1.3). Nothing that a server
 * answers is a secret by its name alone; the names are here for what is passed on.
 */
const NEVER_INDEXED = new Set(['authorization', 'cookie', 'set-cookie']);

/**
 * Encodes a header block. It uses the static table and literals, and no dynamic table: so a block
 * does not depend on the connection, and can be made beforehand for all of them.
 *
 * Each connection has to send {@link EMPTY_TABLE} once, before its first block.
 *
 * @param fields names in lower case and values in turn, each character an octet
 */
export function encodeFields(fields: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    parts.push(...encodeField(fields[at] ?? '', fields[at + 1] ?? ''));
  }
  return Buffer.concat(parts);
}

/**
 * The first block of a connection. With a table of size zero there is nothing to keep if the client
 * changes SETTINGS_HEADER_TABLE_SIZE, and no further change has to be sent (RFC 7541, 4.2).
 */
export function asFirstBlock(block: Buffer): Buffer {
  return Buffer.concat([EMPTY_TABLE, block]);
}

function encodeField(name: string, value: string): readonly Buffer[] {
  const whole = STATIC_TABLE.findIndex(([known, text]) => known === name && text === value);
  if (whole !== -1) return [encodeInteger(whole + 1, { prefixBits: 7, pattern: 0x80 })];
  // Literal without indexing, or never indexed (RFC 7541, 6.2.2 and 6.2.3).
  const pattern = NEVER_INDEXED.has(name) ? 0x10 : 0;
  const index = STATIC_TABLE.findIndex(([known]) => known === name) + 1;
  const named = encodeInteger(index, { prefixBits: 4, pattern });
  return index === 0
    ? [named, ...encodeString(name), ...encodeString(value)]
    : [named, ...encodeString(value)];
}

/**
 * A string (RFC 7541, 5.2). It is not Huffman-coded unless it is long: that costs bytes, and saves time
 * at both ends.
 */
function encodeString(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length > MOST_UNCODED_BYTES) {
    const coded = encodeHuffman(bytes);
    if (coded.length < bytes.length) {
      return [encodeInteger(coded.length, { prefixBits: 7, pattern: 0x80 }), coded];
    }
  }
  return [encodeInteger(bytes.length, { prefixBits: 7, pattern: 0 }), bytes];
}

/** An integer below its prefix (RFC 7541, 5.1). */
function encodeInteger(
  value: number,
  { prefixBits, pattern }: { readonly prefixBits: number; readonly pattern: number },
): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.from([pattern | value]);
  const octets = [pattern | most];
  let rest = value - most;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) octets.push((rest % 0x80) | 0x80);
  return Buffer.from([...octets, rest]);
}
