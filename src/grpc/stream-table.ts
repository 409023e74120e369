import type { ServerHttp2Session } from 'node:http2';

/** What node:http2 (20 to 24) asks of the map of a session's streams. */
interface StreamMap {
  readonly size: number;
  get(id: number): object | undefined;
  set(id: number, stream: object): unknown;
  delete(id: number): boolean;
  forEach(visit: (stream: object) => void): void;
}

/**
 * The open streams of an HTTP/2 session by their ids, for node:http2 to use in place of its Map.
 *
 * A Map whose entries come and go takes a new table every few calls, and V8 lets each old table point
 * to the next one. Once one of them has reached the old generation, so does every later one, with the
 * streams that were open at the time and all that belongs to their calls: a fifth of the processor time
 * of a call, and megabytes a second of garbage that only a full collection takes away
 * (docs/performance.md). An object keeps its entries to itself.
 */
class StreamTable implements StreamMap {
  #streams: Record<number, object> = Object.create(null) as Record<number, object>;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): object | undefined {
    return this.#streams[id];
  }

  set(id: number, stream: object): this {
    if (this.#streams[id] === undefined) this.#size += 1;
    this.#streams[id] = stream;
    return this;
  }

  delete(id: number): boolean {
    if (this.#streams[id] === undefined) return false;
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- ids are numbers: no shape is lost
    delete this.#streams[id];
    this.#size -= 1;
    return true;
  }

  /** Streams may go while they are visited. */
  forEach(visit: (stream: object) => void): void {
    Object.values(this.#streams).forEach((stream) => {
      visit(stream);
    });
  }
}

/** The part of a session's state that is looked at. */
interface SessionState {
  streams: StreamMap;
}

/**
 * Gives a session that has no streams yet a {@link StreamTable}. It reaches into node:http2: a session
 * that is made otherwise than it was in Node 20 to 24 keeps what it has, and works as well.
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
  return isKnownMap(state?.streams) ? (state as SessionState) : undefined;
}

/** Whether it is a Map, of Node's own kind: with methods that are not used here it is another thing. */
function isKnownMap(map: Partial<StreamMap> | undefined): map is StreamMap {
  return Object.prototype.toString.call(map) === '[object Map]';
}
