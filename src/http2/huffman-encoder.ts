import { HUFFMAN_LENGTHS } from './huffman-lengths';

/** The code of each octet, made at the first use: few answers need it. */
let codes: readonly number[] | undefined;

/** Encodes octets with the Huffman code of HPACK (RFC 7541, 5.2). */
export function encodeHuffman(octets: Buffer): Buffer {
  codes ??= createCodes();
  const encoded = Buffer.allocUnsafe(Math.ceil((octets.length * Math.max(...HUFFMAN_LENGTHS)) / 8));
  let length = 0;
  // Fewer than 8 bits that wait for others, and 30 of a code: more than a 32-bit integer has.
  let waiting = 0;
  let bits = 0;
  const push = (code: number, codeBits: number): void => {
    waiting = waiting * 2 ** codeBits + code;
    bits += codeBits;
    while (bits >= 8) {
      const rest = 2 ** (bits - 8);
      const octet = Math.floor(waiting / rest);
      encoded[length] = octet;
      length += 1;
      waiting -= octet * rest;
      bits -= 8;
    }
  };
  for (const octet of octets) push(codes[octet] ?? 0, HUFFMAN_LENGTHS[octet] ?? 0);
  // The padding is the beginning of the code for the end of a string: ones.
  if (bits > 0) push(2 ** (8 - bits) - 1, 8 - bits);
  return encoded.subarray(0, length);
}

/** Codes of a length are consecutive numbers, in the order of their octets. */
function createCodes(): readonly number[] {
  const byLength = HUFFMAN_LENGTHS.map((bits, symbol) => ({ bits, symbol })).sort(
    (one, other) => one.bits - other.bits || one.symbol - other.symbol,
  );
  const made: number[] = [];
  let next = 0;
  let last = 0;
  for (const { bits, symbol } of byLength) {
    next *= 2 ** (bits - last);
    last = bits;
    made[symbol] = next;
    next += 1;
  }
  return made;
}
