import type { ServerHttp2Session } from 'node:http2';

/** Lists that a session's streams are spread over: one or two in each at a hundred calls. A power of two. */
const LISTS = 64;

/** Some of the open streams of a session, and their ids beside them. */
interface StreamList {
  readonly ids: number[];
  readonly streams: object[];
}

/**
 * The open streams of an HTTP/2 session by their ids, for node:http2 to use in place of its Map.
 *
 * A Map whose entries come and go takes a new table every few calls, and V8 lets each old table point
 * to the next one. Once one of them has reached the old generation, so does every later one, with the
 * streams that were open at the time and all that belongs to their calls: megabytes a second of garbage
 * that only a full collection takes away, and a quarter of a call's processor time
 * (docs/decisions/0011). An object with ids for names does the same where hundreds are open. Here lists
 * stay, and what leaves one leaves nothing behind.
 *
 * node:http2 of Node 20 to 26 gets, sets, deletes, counts and visits streams; the rest of a Map is here
 * for one that does more.
 */
class StreamTable implements Map<number, object> {
  readonly [Symbol.toStringTag] = 'Map';
  /** Each is made when it is first used: of thousands of connections few have many streams. */
  readonly #lists: StreamList[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): object | undefined {
    const list = this.#lists[listAt(id)];
    const at = list?.ids.indexOf(id) ?? -1;
    return at === -1 ? undefined : list?.streams[at];
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  set(id: number, stream: object): this {
    const { ids, streams } = (this.#lists[listAt(id)] ??= { ids: [], streams: [] });
    const at = ids.indexOf(id);
    if (at === -1) {
      this.#size += 1;
      ids.push(id);
      streams.push(stream);
    } else streams[at] = stream;
    return this;
  }

  delete(id: number): boolean {
    const list = this.#lists[listAt(id)];
    const at = list?.ids.indexOf(id) ?? -1;
    if (list === undefined || at === -1) return false;
    this.#size -= 1;
    list.ids.splice(at, 1);
    list.streams.splice(at, 1);
    return true;
  }

  clear(): void {
    this.#size = 0;
    this.#lists.length = 0;
  }

  /** Streams may go while they are visited; all that were there are. */
  forEach(visit: (stream: object, id: number, streams: Map<number, object>) => void): void {
    for (const [id, stream] of this) visit(stream, id, this);
  }

  entries(): MapIterator<[number, object]> {
    return this.#copy().entries();
  }

  keys(): MapIterator<number> {
    return this.#copy().keys();
  }

  values(): MapIterator<object> {
    return this.#copy().values();
  }

  [Symbol.iterator](): MapIterator<[number, object]> {
    return this.entries();
  }

  #copy(): Map<number, object> {
    const copy = new Map<number, object>();
    // flat() leaves out the lists that are not there yet.
    for (const { ids, streams } of this.#lists.flat()) {
      streams.forEach((stream, at) => copy.set(ids[at] ?? 0, stream));
    }
    return copy;
  }
}

/** Which list a stream is in. Clients number their streams by odd numbers (RFC 9113, 5.1.1). */
function listAt(id: number): number {
  return (id >> 1) & (LISTS - 1);
}

/** The part of a session's state that is looked at. */
interface SessionState {
  streams: Map<number, object>;
}

/**
 * Gives a session that has no streams yet a {@link StreamTable}. It reaches into node:http2: a session
 * that does not keep its streams in a Map, where Node 20 to 26 have it, is left as it is.
 *
 * @returns whether the session has it now
 */
export function useStreamTable(session: ServerHttp2Session): boolean {
  const state = stateOf(session);
  if (state === undefined || state.streams.size > 0) return false;
  state.streams = new StreamTable();
  return true;
}

function stateOf(session: ServerHttp2Session): SessionState | undefined {
  const key = Object.getOwnPropertySymbols(session).find(
    ({ description }) => description === 'state',
  );
  if (key === undefined) return undefined;
  const state = (session as unknown as Record<symbol, Partial<SessionState> | undefined>)[key];
  // Node's is a class of its own, which only calls itself a Map.
  const isMap = Object.prototype.toString.call(state?.streams) === '[object Map]';
  return isMap ? (state as SessionState) : undefined;
}
