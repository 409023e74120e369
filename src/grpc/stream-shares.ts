import type { ServerHttp2Session } from 'node:http2';

/**
 * The fewest streams that a connection is allowed: a health watch keeps one for as long as it lasts,
 * and must not keep calls from being made beside it.
 */
const LEAST_SHARE = 8;

/** How often is looked which connections use their share no more, in milliseconds. */
const LOOK_EVERY_MS = 1000;

/** A connection and how many calls it has open at the moment. */
export interface Sharer {
  readonly session: ServerHttp2Session;
  readonly streams: number;
  /** How many of them are streams of events, which have bounds of their own. */
  readonly heldStreams: number;
}

/** What a connection was last told, and whether its other end has yet to acknowledge it. */
interface Announcement {
  streams: number;
  isPending: boolean;
}

/**
 * Shares out, among the connections of a server, how many streams may be open at a time (HTTP/2,
 * SETTINGS_MAX_CONCURRENT_STREAMS). Calls beyond that wait in the client, where its deadline ends them
 * before anything is sent; here each would take memory, and time to refuse.
 *
 * Only those share that have as many calls open as everybody may, or had a moment ago: a connection that
 * is idle, watches health or makes a call now and then takes nothing from the others.
 *
 * A share changes when their number passes a power of two, so that thousands of connections are not
 * told anew with each that comes or goes.
 */
export class StreamShares {
  /** What the first connection may open, and all of them together, but for {@link LEAST_SHARE}. */
  readonly total: number;
  #share: number;
  readonly #announced = new Map<Sharer, Announcement>();
  readonly #busy = new Set<Sharer>();
  #timer: NodeJS.Timeout | undefined;

  constructor(total: number) {
    this.total = total;
    this.#share = Math.max(total, LEAST_SHARE);
  }

  /** A connection came: it takes {@link total} as its first setting. */
  add(sharer: Sharer): void {
    const last = { streams: this.total, isPending: false };
    this.#announced.set(sharer, last);
    this.#tell(sharer, last);
  }

  /** A call was begun on a connection. */
  use(sharer: Sharer): void {
    if (unaryCallsOf(sharer) < LEAST_SHARE || this.#busy.has(sharer)) return;
    this.#busy.add(sharer);
    this.#shareOut();
    this.#timer ??= setInterval(() => {
      this.#look();
    }, LOOK_EVERY_MS).unref();
  }

  /** The number of its streams of events has changed. */
  hold(sharer: Sharer): void {
    const last = this.#announced.get(sharer);
    if (last !== undefined) this.#tell(sharer, last);
  }

  /** A connection has gone. */
  remove(sharer: Sharer): void {
    this.#announced.delete(sharer);
    if (this.#busy.delete(sharer)) this.#shareOut();
  }

  #look(): void {
    for (const sharer of this.#busy) {
      if (unaryCallsOf(sharer) < LEAST_SHARE) this.#busy.delete(sharer);
    }
    this.#shareOut();
    if (this.#busy.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #shareOut(): void {
    const parts = 2 ** Math.ceil(Math.log2(Math.max(this.#busy.size, 1)));
    const share = Math.max(Math.floor(this.total / parts), LEAST_SHARE);
    if (share === this.#share) return;
    this.#share = share;
    for (const [sharer, last] of this.#announced) this.#tell(sharer, last);
  }

  /** One change at a time: Node throws where a client leaves ten of them unacknowledged. */
  #tell(sharer: Sharer, last: Announcement): void {
    const share = this.#share + roomFor(sharer.heldStreams);
    const { session } = sharer;
    if (last.isPending || last.streams === share || session.closed || session.destroyed) return;
    last.streams = share;
    last.isPending = true;
    session.settings({ maxConcurrentStreams: share }, () => {
      last.isPending = false;
      if (this.#announced.has(sharer)) this.#tell(sharer, last);
    });
  }
}

function unaryCallsOf({ streams, heldStreams }: Sharer): number {
  return streams - heldStreams;
}

/**
 * What a connection may open beside its share, so that its streams of events leave that to unary calls:
 * the next power of two above those that it holds, so that it is told seldom.
 */
function roomFor(heldStreams: number): number {
  return heldStreams === 0 ? 0 : 2 ** Math.ceil(Math.log2(heldStreams + 1));
}
