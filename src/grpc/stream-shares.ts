import type { ServerHttp2Session } from 'node:http2';

/**
 * The fewest streams that a connection is allowed: a health watch keeps one for as long as it lasts,
 * and must not keep calls from being made beside it.
 */
const LEAST_SHARE = 8;

/** What a connection was last told, and whether its other end has yet to acknowledge it. */
interface Told {
  streams: number;
  isPending: boolean;
}

/**
 * Shares out, among the connections of a server, how many streams may be open at a time (HTTP/2,
 * SETTINGS_MAX_CONCURRENT_STREAMS). Calls beyond that wait in the client, where its deadline ends them
 * before anything is sent; here each would take memory, and time to refuse.
 *
 * A share changes when the number of connections passes a power of two, so that thousands of
 * connections are not told anew with each that comes or goes.
 */
export class StreamShares {
  /** What the first connection may open, and all of them together, but for {@link LEAST_SHARE}. */
  readonly total: number;
  #share: number;
  readonly #told = new Map<ServerHttp2Session, Told>();

  constructor(total: number) {
    this.total = total;
    this.#share = total;
  }

  /** A connection came: it takes {@link total} as its first setting. */
  add(session: ServerHttp2Session): void {
    const told = { streams: this.total, isPending: false };
    this.#told.set(session, told);
    this.#shareOut();
    this.#tell(session, told);
  }

  /** A connection has gone. */
  remove(session: ServerHttp2Session): void {
    this.#told.delete(session);
    this.#shareOut();
  }

  #shareOut(): void {
    const parts = 2 ** Math.ceil(Math.log2(Math.max(this.#told.size, 1)));
    const share = Math.max(Math.floor(this.total / parts), LEAST_SHARE);
    if (share === this.#share) return;
    this.#share = share;
    for (const [session, told] of this.#told) this.#tell(session, told);
  }

  /** One change at a time: Node throws where a client leaves ten of them unacknowledged. */
  #tell(session: ServerHttp2Session, told: Told): void {
    const share = this.#share;
    if (told.isPending || told.streams === share || session.closed || session.destroyed) return;
    told.streams = share;
    told.isPending = true;
    session.settings({ maxConcurrentStreams: share }, () => {
      told.isPending = false;
      if (this.#told.has(session)) this.#tell(session, told);
    });
  }
}
