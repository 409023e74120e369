import fc from 'fast-check';

import { DEFAULT_BOUNDS } from '../../../src/http2/bounds';
import { CODE } from '../../../src/http2/protocol';
import type { ServerStream } from '../../../src/http2/server-stream';
import { Machine, OK } from '../machine';
import { CONVERSATIONS } from './corpus';
import { mutate, MUTATIONS } from './mutations';

/** The input of a server: frames of which some are wrong, and how they are split. */
export interface FuzzCase {
  readonly frames: readonly Buffer[];
  /** The size of the pieces in which they arrive, in bytes. */
  readonly pieceBytes: number;
}

/** Mutated conversations. */
export const FUZZ_CASES: fc.Arbitrary<FuzzCase> = fc
  .tuple(CONVERSATIONS, MUTATIONS, fc.constantFrom(1, 7, 16, 100, 1000, 65_536))
  .map(([frames, mutations, pieceBytes]) => ({
    frames: mutations.reduce(mutate, frames),
    pieceBytes,
  }));

/** The longest answer that {@link answer} sends, in bytes. */
const ANSWER_BYTES = 40_000;

/** Answers a stream by its number: at once, at length, never, or by a reset. */
export function answer(stream: ServerStream): void {
  const kind = (stream.id >> 1) % 8;
  if (kind === 6) return;
  if (kind === 7) {
    stream.reset(CODE.cancel);
    return;
  }
  stream.respond(OK, { isEnd: false });
  stream.write(kind === 5 ? Buffer.alloc(ANSWER_BYTES) : Buffer.from('answer'));
  stream.end(OK);
}

/** Sends a case to a server without a socket. Returns what is wrong with the server; nothing if all is well. */
export function findFaults({ frames, pieceBytes }: FuzzCase): readonly string[] {
  const machine = new Machine({}, answer);
  const bytes = Buffer.concat(frames);
  const faults: string[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    machine.connection.receive(bytes.subarray(at, at + pieceBytes));
    const sent = machine.connection.takeOutput().reduce((sum, { length }) => sum + length, 0);
    if (sent > boundOf(machine, pieceBytes)) faults.push(`${sent} bytes for ${pieceBytes}`);
  }
  if (machine.error?.code === CODE.internalError) faults.push(String(machine.error.cause));
  machine.connection.lose();
  return [...faults, ...findLeftOvers(machine)];
}

/** The most that may be sent for a piece: all answers that are kept, and a few bytes for each frame. */
function boundOf({ streams }: Machine, pieceBytes: number): number {
  return DEFAULT_BOUNDS.maxHeaderListBytes + streams.size * (ANSWER_BYTES + 1000) + 10 * pieceBytes;
}

/** Each stream that was begun has ended, and once; and so has the connection. */
function findLeftOvers({ events, streams, connection }: Machine): readonly string[] {
  const closed = events.filter((event) => event.includes(' closed '));
  const faults: string[] = [];
  if (new Set(closed.map((event) => event.split(' ')[0])).size !== closed.length) {
    faults.push('a stream that was closed twice');
  }
  if (closed.length !== streams.size) {
    faults.push(`${closed.length} of ${streams.size} streams closed`);
  }
  if (connection.streamCount !== 0) faults.push(`${connection.streamCount} streams left`);
  if (events.filter((event) => event.startsWith('over')).length !== 1) {
    faults.push('a connection that is not over once');
  }
  for (const id of streams.keys()) {
    const last = events.findLast((event) => event.startsWith(`${id} `));
    if (last?.includes(' closed ') === false) faults.push(`"${last}" after the end`);
  }
  return faults;
}
