import { asFirstBlock } from './hpack-encoder';
import { FLAG, FRAME, FRAME_HEADER_BYTES, LEAST_MAX_FRAME_BYTES } from './protocol';

/** Payloads up to this size are copied behind their header, so that a frame is one buffer. */
const COPIED_BYTES = 4096;

/** Frames of a connection that wait to be written, in order. */
export class Outbox {
  readonly #onFilled: () => void;
  #buffers: Buffer[] = [];
  #bytes = 0;
  #hasSentBlock = false;

  /** @param onFilled called when there is something to write, after there was nothing */
  constructor(onFilled: () => void) {
    this.#onFilled = onFilled;
  }

  /** The number of bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes everything that waits. */
  take(): readonly Buffer[] {
    const taken = this.#buffers;
    this.#buffers = [];
    this.#bytes = 0;
    return taken;
  }

  /** Adds a frame whose payload is short enough for any peer. */
  addFrame(
    head: { readonly type: number; readonly flags: number; readonly streamId: number },
    payload: Buffer,
  ): void {
    const isCopied = payload.length <= COPIED_BYTES;
    const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + (isCopied ? payload.length : 0));
    frame.writeUIntBE(payload.length, 0, 3);
    frame[3] = head.type;
    frame[4] = head.flags;
    frame.writeUInt32BE(head.streamId, 5);
    if (isCopied) payload.copy(frame, FRAME_HEADER_BYTES);
    this.#add(frame);
    if (!isCopied) this.#add(payload);
  }

  /**
   * Adds a header block, as HEADERS and as many CONTINUATION as it takes (RFC 9113, 6.10). Nothing
   * may come between them.
   */
  addBlock(streamId: number, madeBlock: Buffer, isEnd: boolean): void {
    const block = this.#hasSentBlock ? madeBlock : asFirstBlock(madeBlock);
    this.#hasSentBlock = true;
    let at = 0;
    do {
      const end = Math.min(block.length, at + LEAST_MAX_FRAME_BYTES);
      const endFlag = isEnd && at === 0 ? FLAG.endStream : 0;
      const flags = endFlag | (end === block.length ? FLAG.endHeaders : 0);
      const type = at === 0 ? FRAME.headers : FRAME.continuation;
      this.addFrame({ type, flags, streamId }, block.subarray(at, end));
      at = end;
    } while (at < block.length);
  }

  /** Adds a frame whose payload is one number of 32 bits: RST_STREAM and WINDOW_UPDATE. */
  addNumber(type: number, streamId: number, value: number): void {
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(value);
    this.addFrame({ type, flags: 0, streamId }, payload);
  }

  #add(buffer: Buffer): void {
    this.#buffers.push(buffer);
    this.#bytes += buffer.length;
    if (this.#buffers.length === 1) this.#onFilled();
  }
}
