/** The number of slots of every Redis Cluster. */
export const SLOTS = 16_384;

/** The polynomial of CRC-16/XMODEM, by which a cluster finds the slot of a key. */
const POLYNOMIAL = 0x1021;

const CRC_OF_BYTE: Readonly<Uint16Array> = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) {
    crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ POLYNOMIAL;
  }
  return crc & 0xffff;
});

/**
 * The slot of a key: by what is between its first `{` and the next `}` if that is not empty, or else
 * by the whole key (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/).
 *
 * Our own, because the package `cluster-key-slot` 1.1.2 takes a later pair of braces if the first one
 * is empty: for `{}{a}` it gives 13650 where Redis gives 10276.
 */
export function slotOf(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(hashedPartOf(key))) {
    crc = ((crc << 8) & 0xffff) ^ (CRC_OF_BYTE[(crc >> 8) ^ byte] ?? 0);
  }
  return crc % SLOTS;
}

function hashedPartOf(key: string): string {
  const start = key.indexOf('{') + 1;
  const end = start === 0 ? -1 : key.indexOf('}', start);
  return end > start ? key.slice(start, end) : key;
}
