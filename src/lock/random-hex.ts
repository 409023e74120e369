import { randomFillSync } from 'node:crypto';

/** Bytes of a draw: one costs microseconds, however short, and calls need some bytes each. */
const DRAWN_BYTES = 4096;

/** Random bytes in hexadecimal digits, from the system's cryptographic source, drawn for many at a time. */
export class RandomHex {
  readonly #drawn = Buffer.alloc(DRAWN_BYTES);
  #next = DRAWN_BYTES;

  /** Takes that many bytes, of which none is ever given again; from 1 to {@link DRAWN_BYTES}. */
  take(bytes: number): string {
    if (!Number.isInteger(bytes) || bytes < 1 || bytes > DRAWN_BYTES) {
      throw new RangeError(`1 to ${DRAWN_BYTES} random bytes can be had, not ${bytes}`);
    }
    if (this.#next + bytes > DRAWN_BYTES) {
      randomFillSync(this.#drawn);
      this.#next = 0;
    }
    const start = this.#next;
    this.#next += bytes;
    return this.#drawn.toString('hex', start, this.#next);
  }
}
