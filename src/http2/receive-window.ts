/**
 * A window for what the peer may send (RFC 9113, 5.2): of a stream or of the connection. It opens
 * again as bytes are consumed, in steps of half of its size, so that few frames are needed for it.
 */
export class ReceiveWindow {
  readonly #size: number;
  /** The octets that the peer may still send. */
  #left: number;
  /** Bytes that are consumed, and that the peer has not been told of. */
  #consumed = 0;

  /** @param size in bytes */
  constructor(size: number) {
    this.#size = size;
    this.#left = size;
  }

  /** Counts received bytes. False if the peer has sent more than it may. */
  receive(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left >= 0;
  }

  /** Counts consumed bytes. Returns by how much to open the window now; 0 for not yet. */
  consume(bytes: number): number {
    this.#consumed += bytes;
    if (this.#consumed < this.#size / 2) return 0;
    const step = this.#consumed;
    this.#left += step;
    this.#consumed = 0;
    return step;
  }
}
