import fc from 'fast-check';

import { FLAG } from '../../src/http2/protocol';
import { preface } from '../hostile/http2-frames';
import { acknowledge, begin, data, GET, headers, ping, POST, reset } from './client-frames';
import { Machine, OK } from './machine';

/** Mutations of each run. `npm run test:http2` makes more of them. */
const RUNS = Number(process.env.HOLDFAST_HTTP2_FUZZ_RUNS ?? 300);

/** How long they may take: 20 ms each, ten times what they need on a machine with other work. */
const WITHIN_MS = 20_000 + 20 * RUNS;

/** Answers with what it is sent. */
const open = () =>
  new Machine({}, (stream) => {
    stream.respond(OK, { isEnd: false });
    stream.write(Buffer.from('answer'));
    stream.end(OK);
  });

/** A conversation: frames of requests of all kinds, each on a stream of its own. */
const CONVERSATION = fc
  .array(
    fc.oneof(
      fc.constant((id: number) => [headers(id, GET)]),
      fc
        .string({ maxLength: 50 })
        .map((text) => (id: number) => [
          begin(id, [...POST, 'x-text', text.replaceAll(/[^a-z]/g, '')]),
          data(id, text),
          data(id, '', FLAG.endStream),
        ]),
      fc.constant((id: number) => [begin(id), reset(id)]),
      fc.constant((id: number) => [begin(id), data(id, 'x'), headers(id, ['x-trailer', 'y'])]),
      fc.constant(() => [ping()]),
    ),
    { maxLength: 8 },
  )
  .map((calls) =>
    Buffer.concat([
      preface(),
      acknowledge(),
      ...calls.flatMap((call, index) => call(2 * index + 1)),
    ]),
  );

describe('bytes in pieces', () => {
  it('mean the same, however they are split', () => {
    fc.assert(
      fc.property(CONVERSATION, fc.integer({ min: 1, max: 30 }), (bytes, pieceBytes) => {
        const whole = open().receive(bytes);
        const split = open().receive(bytes, pieceBytes);
        expect(split.events).toEqual(whole.events);
        expect(split.takeFrames()).toEqual(whole.takeFrames());
      }),
    );
  });
});

describe('bytes that are wrong', () => {
  const MUTATIONS = fc.array(
    fc.record({
      at: fc.nat(),
      kind: fc.constantFrom('flip', 'cut', 'repeat'),
      by: fc.integer({ min: 1, max: 255 }),
    }),
    { minLength: 1, maxLength: 6 },
  );

  const mutate = (
    bytes: Buffer,
    { at, kind, by }: { at: number; kind: string; by: number },
  ): Buffer => {
    const place = 24 + (at % Math.max(1, bytes.length - 24));
    const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
    if (kind === 'cut') return Buffer.concat([before, after.subarray(by)]);
    if (kind === 'repeat') return Buffer.concat([before, after.subarray(0, by), after]);
    const changed = Buffer.from(bytes);
    changed[place] = changed[place]! ^ by;
    return changed;
  };

  const endTidily = () => {
    fc.assert(
      fc.property(CONVERSATION, MUTATIONS, fc.integer({ min: 1, max: 99 }), (bytes, all, piece) => {
        const machine = open().receive(all.reduce(mutate, bytes), piece);
        machine.takeFrames();
        machine.connection.lose();
        // Each stream that was begun has ended, and once.
        const closed = machine.events.filter((event) => event.includes(' closed '));
        expect(new Set(closed.map((event) => event.split(' ')[0])).size).toBe(closed.length);
        expect(closed).toHaveLength(machine.streams.size);
        expect(machine.connection.streamCount).toBe(0);
        expect(machine.events.filter((event) => event.startsWith('over'))).toHaveLength(1);
      }),
      { numRuns: RUNS },
    );
  };

  it('end a stream or the connection, and leave nothing behind', endTidily, WITHIN_MS);
});
