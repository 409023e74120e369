import fc from 'fast-check';

import { CONVERSATIONS } from './fuzz/corpus';
import { answer, findFaults, FUZZ_CASES } from './fuzz/fuzz-run';
import { Machine } from './machine';

/** `npm run test:http2-fuzz` makes more of them. */
const RUNS = 200;

const sentBy = ({ connection }: Machine) => Buffer.concat(connection.takeOutput());

describe('bytes in pieces', () => {
  it('mean the same, however they are split', () => {
    fc.assert(
      fc.property(CONVERSATIONS, fc.integer({ min: 1, max: 30 }), (frames, pieceBytes) => {
        const bytes = Buffer.concat(frames);
        // Whether a reset is hasty depends on the pieces, and is counted in thousands.
        const whole = new Machine({}, answer).receive(bytes);
        const split = new Machine({}, answer).receive(bytes, pieceBytes);
        expect(split.events).toEqual(whole.events);
        // toEqual takes a second for such long answers.
        expect(sentBy(split).equals(sentBy(whole))).toBe(true);
      }),
    );
  });
});

describe('bytes that are wrong', () => {
  it('end a stream or the connection, and leave nothing behind', () => {
    fc.assert(
      fc.property(FUZZ_CASES, (one) => {
        expect(findFaults(one)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
