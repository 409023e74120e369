import { constants, type ServerHttp2Stream } from 'node:http2';

/** The most calls without a token, health checks and watches, that are open at a time. */
const MOST_OPEN = 500;

/**
 * The open calls of those who need no token. There may be so many at a time; the oldest goes when one
 * more comes, so that nobody can keep a probe out by holding all of them. A watch is made again by its
 * client.
 */
export class Visitors {
  readonly #open = new Set<ServerHttp2Stream>();

  /** Adds one, at the cost of the oldest where there are too many. */
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
