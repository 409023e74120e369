/** How many streams are remembered: as many as may have frames on their way at a time. */
const REMEMBERED = 128;

/**
 * The streams that were reset here last. The client may have sent frames before it received
 * RST_STREAM, and those are ignored (RFC 9113, 5.1). Frames for streams that ended otherwise are
 * errors.
 */
export class ResetStreams {
  readonly #ids = new Int32Array(REMEMBERED);
  #at = 0;

  /** Remembers a stream in place of the oldest one. */
  add(id: number): void {
    this.#ids[this.#at] = id;
    this.#at = (this.#at + 1) % REMEMBERED;
  }

  /** True for a stream that was reset a short while ago. */
  has(id: number): boolean {
    return this.#ids.includes(id);
  }
}
