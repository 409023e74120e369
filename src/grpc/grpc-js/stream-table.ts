import type { ServerHttp2Session } from 'node:http2';

/**
 * The number of lists over which a session's streams are spread: one or two streams per list at a
 * hundred calls. A power of two.
 */
const LISTS = 64;

/** Some of the open streams of a session, with their ids at the same positions. */
interface StreamList {
  readonly ids: number[];
  readonly streams: object[];
}

/**
 * The open streams of an HTTP/2 session by id. node:http2 uses it instead of its Map.
 *
 * A Map whose entries come and go allocates a new table every few calls, and V8 keeps a reference
 * from each old table to the next one. Once one of these tables has reached the old generation,
 * every later one follows, together with the streams that were open at the time and everything that
 * belongs to their calls. That makes megabytes of garbage a second that only a full collection
 * removes, and takes a quarter of the CPU time of a call (docs/decisions/0011). An object with ids
 * as property names has the same problem when hundreds of streams are open. Here, the lists stay
 * allocated, and a removed stream leaves nothing behind.
 *
 * node:http2 of Node 20 to 26 uses get, set, delete, size and forEach. The other methods of a Map
 * are there for versions that use more.
 */
class StreamTable implements Map<number, object> {
  readonly [Symbol.toStringTag] = 'Map';
  /** Each list is created at its first use. Of thousands of connections, few have many streams. */
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

  /**
   * Streams may be removed during the iteration. All that were present at its start are visited.
   */
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
    // flat() skips the lists that do not exist yet.
    for (const { ids, streams } of this.#lists.flat()) {
      streams.forEach((stream, at) => copy.set(ids[at] ?? 0, stream));
    }
    return copy;
  }
}

/** The list of a stream. Clients use odd numbers as stream ids (RFC 9113, 5.1.1). */
function listAt(id: number): number {
  return (id >> 1) & (LISTS - 1);
}

/** The part of a session's internal state that is used here. */
interface SessionState {
  streams: Map<number, object>;
}

/**
 * Replaces the Map of a session without streams by a {@link StreamTable}. This changes internals of
 * node:http2. If a session does not keep its streams in a Map, as Node 20 to 26 do, nothing is
 * changed.
 *
 * @returns true if the session uses the table now
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
  // Node's Map is of a different class that only has the same name.
  const isMap = Object.prototype.toString.call(state?.streams) === '[object Map]';
  return isMap ? (state as SessionState) : undefined;
}
