import fc from 'fast-check';

import { encodeFields } from '../../../src/http2/hpack-encoder';
import { FLAG, FRAME, SETTING } from '../../../src/http2/protocol';
import { frame, preface } from '../../hostile/http2-frames';
import {
  acknowledge,
  begin,
  data,
  GET,
  headers,
  ping,
  POST,
  priority,
  reset,
  settings,
  windowUpdate,
} from '../client-frames';

/** The frames of a client in order. The first one is its preface with its SETTINGS. */
export type Conversation = readonly Buffer[];

/** The frames that a client sends on a stream of its own, or for its connection. */
type Part = (id: number) => readonly Buffer[];

/** Header blocks of a request with indices, a dynamic table and Huffman code (RFC 7541, C.4 and C.6). */
const CODED_BLOCKS = [
  '828684418cf1e3c2e5f23a6ba0ab90f4ff',
  '828684be5886a8eb10649cbf',
  '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
  '3fe11f828684418cf1e3c2e5f23a6ba0ab90f4ff',
  '20828684',
].map((hex) => Buffer.from(hex, 'hex'));

const whole = FLAG.endHeaders | FLAG.endStream;

/** Splits a block into HEADERS and CONTINUATION frames. */
function inParts(id: number, block: Buffer, size: number): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += size) {
    const isLast = at + size >= block.length;
    const flags = (isLast ? FLAG.endHeaders : 0) | (at === 0 ? FLAG.endStream : 0);
    const type = at === 0 ? FRAME.headers : FRAME.continuation;
    frames.push(frame(type, id, { flags, payload: block.subarray(at, at + size) }));
  }
  return frames;
}

const text = fc.stringMatching(/^[a-z]{0,40}$/);

const PART: fc.Arbitrary<Part> = fc.oneof(
  fc.constant<Part>((id) => [headers(id, GET)]),
  text.map<Part>((value) => (id) => [
    begin(id, [...POST, 'x-text', value]),
    data(id, value),
    data(id, '', FLAG.endStream),
  ]),
  fc
    .nat(5000)
    .map<Part>((size) => (id) => [
      begin(id, [...POST, 'content-length', String(size)]),
      data(id, Buffer.alloc(size), FLAG.endStream),
    ]),
  fc
    .nat(20)
    .map<Part>((padding) => (id) => [
      begin(id),
      data(id, Buffer.concat([Buffer.from([padding]), Buffer.alloc(padding + 3)]), FLAG.padded | 1),
    ]),
  fc.constant<Part>((id) => [begin(id), reset(id)]),
  fc.constant<Part>((id) => [begin(id), data(id, 'x'), headers(id, ['x-trailer', 'y'])]),
  fc.constant<Part>((id) => [begin(id), priority(id, id - 1), windowUpdate(id, 10)]),
  fc
    .constantFrom(...CODED_BLOCKS)
    .map<Part>((payload) => (id) => [frame(FRAME.headers, id, { flags: whole, payload })]),
  fc.tuple(text, fc.integer({ min: 8, max: 60 })).map<Part>(
    ([value, size]) =>
      (id) =>
        inParts(id, encodeFields([...GET, 'a', value]), size),
  ),
  fc.constant<Part>(() => [ping()]),
  fc.constant<Part>(() => [ping(FLAG.ack)]),
  fc.constant<Part>(() => [windowUpdate(0, 1000)]),
  fc
    .constantFrom(0, 1, 65_535, 2 ** 31 - 1)
    .map<Part>((value) => () => [settings(SETTING.initialWindowSize, value), acknowledge()]),
  fc.constant<Part>(() => [frame(FRAME.goaway, 0, { payload: Buffer.alloc(8) })]),
);

/** Conversations of clients that obey the rules, of all kinds of frames. */
export const CONVERSATIONS: fc.Arbitrary<Conversation> = fc
  .array(PART, { minLength: 1, maxLength: 12 })
  .map((parts) => [preface(), acknowledge(), ...parts.flatMap((part, at) => part(2 * at + 1))]);
