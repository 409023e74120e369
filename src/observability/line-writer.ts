import type { Writable } from 'node:stream';

/** Limit in bytes for log lines that wait for a reader of standard output. */
export const MOST_WAITING_BYTES = 2 ** 20;

/** Below this number of bytes, lines are accepted again after some were dropped. */
const TAKEN_AGAIN_BYTES = MOST_WAITING_BYTES / 2;

/** The part of a stream that is needed to write lines. */
export type LineStream = Pick<Writable, 'write' | 'writableLength' | 'on'>;

/**
 * Writes log lines to a stream whose reader may be slow or have stopped. Up to {@link
 * MOST_WAITING_BYTES} wait, and further lines are dropped and counted. pino's own destinations
 * write to a file descriptor. For a pipe, `process.stdout` writes to the same descriptor, and two
 * writers would break each other's lines.
 *
 * @param onTakenAgain called with the number of dropped lines when there is room again; it may
 *   write
 */
export function createBoundedWriter(
  stream: LineStream,
  onTakenAgain: (dropped: number) => void,
): (line: string) => void {
  let dropped = 0;
  const tell = (): void => {
    if (dropped === 0) return;
    const count = dropped;
    dropped = 0;
    onTakenAgain(count);
  };
  stream.on('drain', tell);
  return (line) => {
    const most = dropped === 0 ? MOST_WAITING_BYTES : TAKEN_AGAIN_BYTES;
    if (stream.writableLength + Buffer.byteLength(line) > most) {
      dropped += 1;
      return;
    }
    tell();
    stream.write(line);
  };
}
