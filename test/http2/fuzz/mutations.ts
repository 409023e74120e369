import fc from 'fast-check';

import type { Conversation } from './corpus';

/** A change of a conversation. Each number is cut to what the conversation has. */
export interface Mutation {
  readonly kind: (typeof KINDS)[number];
  /** The frame that is changed. The preface never is: without it nothing else is read. */
  readonly frame: number;
  /** The place within it, or another frame. */
  readonly at: number;
  readonly by: number;
}

const KINDS = [
  ...['flip', 'cut', 'repeat', 'insert'],
  ...['type', 'flags', 'stream', 'length', 'number', 'drop', 'again', 'swap', 'noise'],
] as const;

/** Some changes, most of them of one frame as a whole: so that others are still read. */
export const MUTATIONS: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...KINDS),
    frame: fc.nat(99),
    at: fc.nat(99),
    by: fc.integer({ min: 1, max: 255 }),
  }),
  { minLength: 1, maxLength: 6 },
);

const HEAD_BYTES = 9;

/** Changes a conversation. */
export function mutate(frames: Conversation, { kind, frame, at, by }: Mutation): Conversation {
  const index = 1 + (frame % Math.max(1, frames.length - 1));
  const other = 1 + (at % Math.max(1, frames.length - 1));
  const chosen = frames[index];
  if (chosen === undefined) return frames;
  const [before, after] = [frames.slice(0, index), frames.slice(index + 1)];
  switch (kind) {
    case 'drop':
      return [...before, ...after];
    case 'again':
      return [...before, ...Array.from({ length: 1 + (by % 4) }, () => chosen), ...after];
    case 'swap':
      return swapped(frames, index, other);
    case 'noise':
      return [...before, Buffer.alloc(by, at), chosen, ...after];
    default:
      return [...before, mutateFrame(chosen, { kind, at, by }), ...after];
  }
}

function mutateFrame(
  frame: Buffer,
  { kind, at, by }: Pick<Mutation, 'kind' | 'at' | 'by'>,
): Buffer {
  // What was cut short before has no fields to change.
  const isFrame = frame.length >= HEAD_BYTES;
  const place = at % Math.max(1, frame.length);
  const [start, end] = [frame.subarray(0, place), frame.subarray(place)];
  const changed = Buffer.from(frame);
  switch (isFrame ? kind : 'cut') {
    case 'flip':
      changed[place] = changed[place]! ^ by;
      return changed;
    case 'cut':
      return Buffer.concat([start, end.subarray(by % 32)]);
    case 'repeat':
      return Buffer.concat([start, end.subarray(0, by % 32), end]);
    case 'insert':
      return withLength(Buffer.concat([frame, Buffer.alloc(by, at)]));
    case 'type':
      changed[3] = by % 12;
      return changed;
    case 'flags':
      changed[4] = changed[4]! ^ by;
      return changed;
    case 'stream':
      changed.writeUInt32BE(by % 30, 5);
      return changed;
    case 'length':
      changed.writeUIntBE(by % 64, 0, 3);
      return changed;
    case 'number':
      if (changed.length >= HEAD_BYTES + 4) changed.writeUInt32BE((by * 2 ** 24) >>> 0, HEAD_BYTES);
      return changed;
    default:
      return changed;
  }
}

/** Gives a frame the length that it has by now. */
function withLength(frame: Buffer): Buffer {
  frame.writeUIntBE(frame.length - HEAD_BYTES, 0, 3);
  return frame;
}

function swapped(frames: Conversation, one: number, other: number): Conversation {
  return frames.map((frame, at) => {
    if (at === one) return frames[other] ?? frame;
    return at === other ? (frames[one] ?? frame) : frame;
  });
}
