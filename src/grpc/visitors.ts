import { constants, type ServerHttp2Stream } from 'node:http2';

/** Maximum number of open calls that need no token (health checks and watches). */
const MOST_OPEN = 500;

/**
 * The open calls that need no token. Their number is limited. If a new one exceeds the limit, the
 * oldest ends, so that nobody can block a health probe by keeping all places occupied. Clients
 * restart a watch that ends.
 */
export class Visitors {
  readonly #open = new Set<ServerHttp2Stream>();

  /** Adds a call. If there are too many, ends the oldest. */
  add(stream: ServerHttp2Stream): void {
    if (this.#open.size >= MOST_OPEN) this.#endOldest();
    this.#open.add(stream);
    stream.once('close', () => this.#open.delete(stream));
  }

  #endOldest(): void {
    const [oldest] = this.#open;
    if (oldest === undefined) return;
    this.#open.delete(oldest);
    oldest.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}
