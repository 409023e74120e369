import type { CallSession } from './call-session';

/**
 * Minimum number of streams for a connection. A health watch occupies one stream permanently and
 * must not block other calls.
 */
const LEAST_SHARE = 8;

/**
 * Additional streams for a connection that passes calls on, so that none of these takes the place of
 * a lock call. It does not follow their number: each change costs two frames, and passed calls are
 * short or long.
 */
const PASSED_ROOM = 2000;

/**
 * How often to check which connections no longer need a part of the total, or the room of calls
 * that have ended, in milliseconds.
 */
const LOOK_EVERY_MS = 1000;

/** A connection and the number of its open calls. */
export interface Sharer {
  readonly session: Pick<CallSession, 'closed' | 'destroyed' | 'settings'>;
  readonly streams: number;
  /** How many of the open calls are of a method with an event stream: known from their headers. */
  readonly eventStreams: number;
  /** How many of these are admitted. They have their own limits. */
  readonly heldStreams: number;
  /** How many of the open calls wait for a lock. They, too, have their own limit. */
  readonly waitingCalls: number;
  /** How many of the open calls are passed on. These have a limit of their own, too. */
  readonly passedCalls: number;
  /** True once a call of the connection was passed on. */
  readonly isPassing: boolean;
}

/** The limit last sent to a connection, and whether its acknowledgement is pending. */
interface Announcement {
  streams: number;
  isPending: boolean;
  /** The part of the limit that is for uncounted calls. */
  room: number;
  /** True if the last check found that less room is needed. */
  isAmple: boolean;
}

/**
 * Divides a total number of concurrent streams among the connections of a server (HTTP/2,
 * SETTINGS_MAX_CONCURRENT_STREAMS). Calls beyond the limit wait in the client, where their deadline
 * can end them before anything is sent. In the server, each of them would take memory, and time to
 * refuse.
 *
 * A connection gets a part of the total only if it has at least {@link LEAST_SHARE} calls open, or
 * had them a moment ago. Connections that are idle, watch health or make an occasional call take
 * nothing from the others.
 *
 * Room for uncounted calls is taken back only after two checks have found it unused. node:http2
 * refuses a call above a lower limit as soon as it has sent that limit, although the client may not
 * have read it yet: a client that ends a thousand calls and begins a thousand others would lose half
 * of them.
 *
 * The share changes only when the number of such connections passes a power of two. Otherwise
 * thousands of connections would get new settings whenever one opens or closes.
 */
export class StreamShares {
  /**
   * The limit for the first connection, and for all connections together apart from
   * {@link LEAST_SHARE}.
   */
  readonly total: number;
  #share: number;
  readonly #announced = new Map<Sharer, Announcement>();
  readonly #busy = new Set<Sharer>();
  /** The connections with room for uncounted calls. */
  readonly #roomy = new Set<Sharer>();
  #timer: NodeJS.Timeout | undefined;

  constructor(total: number) {
    this.total = total;
    this.#share = Math.max(total, LEAST_SHARE);
  }

  /** Adds a new connection. Its first setting is {@link total}. */
  add(sharer: Sharer): void {
    const last = { streams: this.total, isPending: false, room: 0, isAmple: false };
    this.#announced.set(sharer, last);
    this.#tell(sharer, last);
  }

  /** Records that a call was started on a connection. */
  use(sharer: Sharer): void {
    if (unaryCallsOf(sharer) < LEAST_SHARE || this.#busy.has(sharer)) return;
    this.#busy.add(sharer);
    this.#shareOut();
    this.#startLooking();
  }

  /** Records that the number of event streams or of waiting calls on a connection has changed. */
  hold(sharer: Sharer): void {
    const last = this.#announced.get(sharer);
    const room = roomFor(uncountedCallsOf(sharer));
    if (last === undefined || room < last.room) return;
    last.isAmple = false;
    if (room === last.room) return;
    last.room = room;
    this.#roomy.add(sharer);
    this.#tell(sharer, last);
    this.#startLooking();
  }

  /** Records that a connection passes calls on from now on, for which it gets {@link PASSED_ROOM}. */
  pass(sharer: Sharer): void {
    const last = this.#announced.get(sharer);
    if (last !== undefined) this.#tell(sharer, last);
  }

  /** Removes a closed connection. */
  remove(sharer: Sharer): void {
    this.#announced.delete(sharer);
    this.#roomy.delete(sharer);
    if (this.#busy.delete(sharer)) this.#shareOut();
  }

  #startLooking(): void {
    this.#timer ??= setInterval(() => {
      this.#look();
    }, LOOK_EVERY_MS).unref();
  }

  #look(): void {
    for (const sharer of this.#busy) {
      if (unaryCallsOf(sharer) < LEAST_SHARE) this.#busy.delete(sharer);
    }
    this.#shareOut();
    for (const sharer of this.#roomy) this.#takeRoomBack(sharer);
    if (this.#busy.size > 0 || this.#roomy.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #takeRoomBack(sharer: Sharer): void {
    const last = this.#announced.get(sharer);
    const room = roomFor(uncountedCallsOf(sharer));
    if (last === undefined || room === last.room) return;
    if (!last.isAmple) {
      last.isAmple = true;
      return;
    }
    last.room = room;
    last.isAmple = false;
    if (room === 0) this.#roomy.delete(sharer);
    this.#tell(sharer, last);
  }

  #shareOut(): void {
    const parts = 2 ** Math.ceil(Math.log2(Math.max(this.#busy.size, 1)));
    const share = Math.max(Math.floor(this.total / parts), LEAST_SHARE);
    if (share === this.#share) return;
    this.#share = share;
    for (const [sharer, last] of this.#announced) this.#tell(sharer, last);
  }

  /**
   * Sends one change at a time, because Node throws if a client leaves ten of them unacknowledged.
   */
  #tell(sharer: Sharer, last: Announcement): void {
    const passed = sharer.isPassing ? PASSED_ROOM : 0;
    const share = this.#share + last.room + passed;
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

function unaryCallsOf(sharer: Sharer): number {
  const { streams, eventStreams, waitingCalls, passedCalls } = sharer;
  return streams - eventStreams - waitingCalls - passedCalls;
}

/** Calls for which a connection gets additional streams. */
function uncountedCallsOf({ heldStreams, waitingCalls }: Sharer): number {
  return heldStreams + waitingCalls;
}

/**
 * Additional streams for a connection with calls that are not counted, so that its share remains for
 * the others. It is the next power of two above their number, so that it changes rarely.
 */
function roomFor(uncounted: number): number {
  return uncounted === 0 ? 0 : 2 ** Math.ceil(Math.log2(uncounted + 1));
}
