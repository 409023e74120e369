import type { Writable } from 'node:stream';

/** Most bytes of log lines that wait for a reader of standard output. */
export const MOST_WAITING_BYTES = 2 ** 20;

/** From where on lines are taken again after some were dropped. */
const TAKEN_AGAIN_BYTES = MOST_WAITING_BYTES / 2;

/** The part of a stream that lines are written to. */
export type LineStream = Pick<Writable, 'write' | 'writableLength' | 'on'>;

/**
 * Writes log lines to a stream whose reader may be slow, or have stopped reading: as many wait as
 * {@link MOST_WAITING_BYTES} holds, more are dropped and counted. pino's own destinations write to a
 * descriptor, which for a pipe of Node's is the same that `process.stdout` writes to: two writers
 * would cut each other's lines.
 *
 * @param onTakenAgain is told how many lines were dropped once there is room again; it may write
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
