import fc from 'fast-check';

import { HpackDecoder } from '../../src/http2/hpack-decoder';
import { asFirstBlock, encodeFields } from '../../src/http2/hpack-encoder';
import { HpackReader } from '../../src/http2/hpack-reader';
import { HuffmanDecoder } from '../../src/http2/huffman';
import { encodeHuffman } from '../../src/http2/huffman-encoder';
import { CODE, ConnectionError } from '../../src/http2/protocol';

const huffman = new HuffmanDecoder();
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const createDecoder = (maxListBytes = 65_535) => new HpackDecoder(huffman, maxListBytes);

/** A change of the table's size to 256, which the examples of responses assume. */
const SIZE_256 = '3fe101';

const REQUESTS = [
  [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'],
  [
    ':method',
    'GET',
    ':scheme',
    'http',
    ':path',
    '/',
    ':authority',
    'www.example.com',
    'cache-control',
    'no-cache',
  ],
  [
    ':method',
    'GET',
    ':scheme',
    'https',
    ':path',
    '/index.html',
    ':authority',
    'www.example.com',
    'custom-key',
    'custom-value',
  ],
];

const [FIRST_DATE, LAST_DATE] = [21, 22].map((s) => `Mon, 21 Oct 2013 20:13:${s} GMT`);
const LOCATION = ['location', 'https://www.example.com'];
const RESPONSES = [
  [':status', '302', 'cache-control', 'private', 'date', FIRST_DATE, ...LOCATION],
  [':status', '307', 'cache-control', 'private', 'date', FIRST_DATE, ...LOCATION],
  [
    ...[':status', '200', 'cache-control', 'private', 'date', LAST_DATE, ...LOCATION],
    ...['content-encoding', 'gzip'],
    ...['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ],
];

/** RFC 7541, Appendix C: blocks that one decoder reads one after another, and their fields. */
const EXAMPLES = [
  {
    name: 'C.2.1, a literal with indexing',
    blocks: ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572'],
    fields: [['custom-key', 'custom-header']],
  },
  {
    name: 'C.2.2, a literal without indexing',
    blocks: ['040c 2f73 616d 706c 652f 7061 7468'],
    fields: [[':path', '/sample/path']],
  },
  {
    name: 'C.2.3, a literal that is never indexed',
    blocks: ['1008 7061 7373 776f 7264 0673 6563 7265 74'],
    fields: [['password', 'secret']],
  },
  { name: 'C.2.4, an indexed field', blocks: ['82'], fields: [[':method', 'GET']] },
  {
    name: 'C.3, requests without Huffman codes',
    blocks: [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
    fields: REQUESTS,
  },
  {
    name: 'C.4, requests with Huffman codes',
    blocks: [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
    fields: REQUESTS,
  },
  {
    name: 'C.5, responses without Huffman codes, and eviction',
    blocks: [
      `${SIZE_256} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      '4803 3330 37c1 c0bf',
      '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
    ],
    fields: RESPONSES,
  },
  {
    name: 'C.6, responses with Huffman codes, and eviction',
    blocks: [
      `${SIZE_256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      '4883 640e ffc1 c0bf',
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    ],
    fields: RESPONSES,
  },
];

/** Blocks that can't be decoded. */
const WRONG = [
  { what: 'index 0', block: '80' },
  { what: 'an index that nothing has', block: 'be' },
  { what: 'a literal with the name of nothing', block: '7f00 0161' },
  { what: 'an integer that does not end', block: 'ff ffff ffff ffff ff' },
  { what: 'a field that is cut off', block: '40' },
  { what: 'a string that is cut off', block: '4005 6162' },
  { what: 'a table that is too large', block: '3fe21f' },
  { what: 'a change of the table after a field', block: '82 20' },
  { what: 'padding of more than seven bits', block: '4082 1fff 0161' },
  { what: 'padding of zeros', block: '4081 1801 61' },
  { what: 'the end of the string within a string', block: '4085 ffff fffc ff01 61' },
];

const NAME = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
const VALUE = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
});
const FIELDS = fc.array(fc.tuple(NAME, VALUE), { maxLength: 20 }).map((pairs) => pairs.flat());

describe('header compression', () => {
  it.each(EXAMPLES)('decodes the example $name', ({ blocks, fields }) => {
    const decoder = createDecoder();
    expect(blocks.map((block) => decoder.decode(hex(block)).fields)).toEqual(fields);
  });

  it.each([
    ['0a', 5, 10],
    ['1f9a0a', 5, 1337],
    ['2a', 8, 42],
  ])('reads the integer %s with a prefix of %d bits (C.1)', (bytes, prefixBits, value) => {
    expect(new HpackReader(hex(bytes), huffman).integer(prefixBits)).toBe(value);
  });

  it.each(WRONG)('refuses $what', ({ block }) => {
    const decode = () => createDecoder().decode(hex(block));
    expect(decode).toThrow(ConnectionError);
    expect(decode).toThrow(expect.objectContaining({ code: CODE.compressionError }) as Error);
  });

  it('decodes what the encoder makes, any octets', () => {
    fc.assert(
      fc.property(FIELDS, (fields) => {
        expect(createDecoder().decode(asFirstBlock(encodeFields(fields))).fields).toEqual(fields);
      }),
    );
  });

  it('fails on any bytes by an error of compression alone', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 5 }), (blocks) => {
        const decoder = createDecoder();
        try {
          for (const block of blocks) decoder.decode(Buffer.from(block));
        } catch (error) {
          expect(error).toMatchObject({ code: CODE.compressionError });
        }
      }),
    );
  });

  it.each([
    ['www.example.com', 'f1e3c2e5f23a6ba0ab90f4ff'],
    ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07abe941054d444a8200595040b8166e082a62d1bff'],
  ])('has the Huffman code of RFC 7541, Appendix C for %s', (text, code) => {
    expect(encodeHuffman(Buffer.from(text)).toString('hex')).toBe(code);
  });

  it('reads what it has Huffman-coded, and codes only what is long', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        const coded = encodeHuffman(Buffer.from(octets));
        expect(huffman.decode(coded)).toBe(Buffer.from(octets).toString('latin1'));
      }),
    );
    const block = (value: string) => asFirstBlock(encodeFields(['a', value]));
    const long = 'e'.repeat(40_000);
    expect(block(long).length).toBeLessThan(26_000);
    expect(createDecoder().decode(block(long)).fields).toEqual(['a', long]);
    // Code that is no shorter is not used.
    const wide = '\x01'.repeat(40_000);
    expect(block(wide).length).toBeGreaterThan(40_000);
    expect(block('e'.repeat(100)).length).toBeGreaterThan(100);
  });

  it('gives equal blocks one list, unless the table has changed between them', () => {
    const decoder = createDecoder();
    const [adds, repeats] = [hex('4001 6101 62'), hex('82be')];
    decoder.decode(adds);
    const first = decoder.decode(repeats);
    expect(decoder.decode(repeats)).toBe(first);
    decoder.decode(hex('4001 6301 64'));
    expect(decoder.decode(repeats).fields).toEqual([':method', 'GET', 'c', 'd']);
  });

  it('keeps no more of a list than allowed, and reads on', () => {
    // A field of 4,000 bytes in the table, and a hundred references to it.
    const decoder = createDecoder(10_000);
    const long = Buffer.concat([hex('4001 617f a11e'), Buffer.alloc(4000, 'v')]);
    const list = decoder.decode(Buffer.concat([long, Buffer.alloc(100, 0xbe)]));
    expect(list.isTooLong).toBe(true);
    expect(list.fields).toHaveLength(4);
    expect(decoder.decode(hex('be')).fields).toEqual(['a', 'v'.repeat(4000)]);
  });
});
