import type { OutgoingHttpHeaders } from 'node:http2';
import type { Readable } from 'node:stream';

/** Changes the answers to a method, in place of passing them on as they are. */
export interface AnswerJoint {
  /** Headers of the request that are sent instead of the client's own. */
  readonly requestHeaders: OutgoingHttpHeaders;
  /** The most bytes of an answer. A longer one ends the call with an error. */
  readonly maxBytes: number;
  /** Changes the complete body of an answer. An error that it throws ends the call. */
  change(answer: Buffer): Buffer;
}

/**
 * Collects an answer.
 *
 * @param onWhole called at its end with a function that changes it, which throws what ends the call
 */
export function collectAnswer(
  answer: Readable,
  joint: AnswerJoint,
  onWhole: (change: () => Buffer) => void,
): void {
  const { maxBytes } = joint;
  const pieces: Buffer[] = [];
  let bytes = 0;
  answer.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes <= maxBytes) pieces.push(piece);
  });
  answer.once('end', () => {
    onWhole(() => {
      if (bytes > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
      return joint.change(Buffer.concat(pieces));
    });
  });
}
