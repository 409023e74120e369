import fc from 'fast-check';

import type { GrpcStatus } from '../../src/grpc/grpc-status';
import { MessageReader, type MessageReaderOptions } from '../../src/grpc/message-reader';
import { message } from '../hostile/http2-frames';

function read(parts: readonly Buffer[], options: Partial<MessageReaderOptions> = {}) {
  const refusals: GrpcStatus[] = [];
  let taken = 0;
  const reader = new MessageReader({
    maxBytes: -1,
    maxMessages: Infinity,
    encoding: 'identity',
    take: (bytes) => {
      taken += bytes;
      return true;
    },
    refuse: (status) => refusals.push(status),
    ...options,
  });
  const messages = parts.flatMap((part) => reader.write(part));
  return { messages, refusals, taken };
}

/** Cuts bytes at these places, however they stand. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  );
  return at.map((end, index) => bytes.subarray(at[index - 1] ?? 0, end));
}

describe('the reader of the messages of a call', () => {
  it('gives every message as it was sent, however it was cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 3000 })),
        fc.array(fc.nat()),
        (bodies, places) => {
          const sent = bodies.map((body) => message(Buffer.from(body)));
          const { messages, refusals } = read(cut(Buffer.concat(sent), places));
          expect(messages.map(String)).toEqual(sent.map(String));
          expect(refusals).toEqual([]);
        },
      ),
    );
  });

  const CHUNK = 64 * 1024;

  it.each([CHUNK - 6, CHUNK - 5, CHUNK - 4, 2 * CHUNK - 5, 3 * CHUNK + 7])(
    'gives a message of %d bytes as it was sent, and pays once for what it keeps',
    (length) => {
      const sent = message(Buffer.from(Array.from({ length }, (_, index) => index % 251)));
      for (const pieceBytes of [1000, CHUNK, sent.length]) {
        const places = Array.from({ length: 200 }, (_, index) => (index + 1) * pieceBytes);
        const parts = cut(Buffer.concat([sent, sent]), places);
        const { messages, taken } = read(parts);
        expect(messages.map((whole) => whole.equals(sent))).toEqual([true, true]);
        expect(taken).toBeGreaterThan(2 * length - 4 * 1024);
        expect(taken).toBeLessThan(2 * length + 2 * CHUNK);
      }
    },
  );

  it('keeps so much of a message as it is to', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat()), (body, places) => {
        const sent = message(Buffer.from(body));
        const { messages } = read(cut(Buffer.concat([sent, sent]), places), { keptBytes: 100 });
        expect(messages.map(String)).toEqual([sent, sent].map((m) => String(m.subarray(0, 105))));
      }),
    );
  });

  it('pays for what has come, not for what is announced, nor for each piece', () => {
    const drops = Array.from({ length: 5000 }, () => Buffer.from([8]));
    const { taken } = read([message(Buffer.alloc(0), 4_000_000), ...drops]);
    expect(taken).toBeGreaterThan(5000);
    expect(taken).toBeLessThan(20_000);
  });

  it('pays nothing for a small message', () => {
    expect(read([message(Buffer.alloc(1000))]).taken).toBe(0);
  });

  it('pays for messages that wait', () => {
    expect(read([Buffer.alloc(5 * 1000)]).taken).toBeGreaterThan(100_000);
  });

  it.each([
    [
      'a message above the limit',
      message(Buffer.alloc(0), 101),
      { maxBytes: 100 },
      8,
      /larger than max \(101 vs 100\)/,
    ],
    [
      'what there is no room for',
      message(Buffer.alloc(5000)),
      { take: () => false },
      8,
      /memory limit/,
    ],
    [
      'a compressed flag without an encoding',
      message(Buffer.alloc(0), 0, 1),
      {},
      13,
      /^grpc: compressed flag set with identity or empty encoding$/,
    ],
    [
      'a compressed flag with an empty one',
      message(Buffer.alloc(0), 0, 1),
      { encoding: '' },
      13,
      /^grpc: compressed flag set with/,
    ],
    [
      'an unknown flag',
      message(Buffer.alloc(0), 0, 2),
      { encoding: 'gzip' },
      13,
      /^grpc: received unexpected payload format 2$/,
    ],
  ])('refuses %s once', (_what, bytes, options, code, details) => {
    const { messages, refusals } = read([bytes, bytes], options);
    expect(messages).toEqual([]);
    expect(refusals).toEqual([{ code, details: expect.stringMatching(details) as string }]);
  });

  it('takes a compressed flag with an encoding', () => {
    expect(read([message(Buffer.alloc(3), 3, 1)], { encoding: 'gzip' }).messages).toHaveLength(1);
  });

  it('reads no more messages than it is to, and says so', () => {
    expect(read([Buffer.alloc(5 * 2)], { maxMessages: 2 }).refusals).toEqual([]);
    const { messages, refusals } = read([Buffer.alloc(5 * 9)], { maxMessages: 2 });
    expect(messages).toHaveLength(2);
    expect(refusals).toEqual([{ code: 8, details: 'more than 2 messages on a call' }]);
  });
});
