/** A stream as far as it has to be known to end it. */
interface Stoppable {
  stop(): void;
}

/** How many streams may be open at a time, beside all unary calls: they take no slot of each other. */
export interface StreamBounds {
  /** Over all connections of both transports. */
  readonly total: number;
  /** Over one connection; over HTTP/1.1 there is only one anyway. */
  readonly perConnection: number;
}

/** The bounds where nobody says others. */
export const DEFAULT_STREAM_BOUNDS: StreamBounds = { total: 20_000, perConnection: 10_000 };

/** More streams than there is room for. */
export class StreamsFullError extends Error {
  override readonly name = 'StreamsFullError';
  /** After so long there may well be room, in seconds. */
  readonly retryAfterSeconds = 1;

  /** @param bound how many are open, the most that may be */
  constructor(bound: number, where: 'connection' | 'sidecar') {
    super(
      `the limit of ${bound} open streams on this ${where} is reached; nothing was done, retry later`,
    );
  }
}

/** The streams that are open on the servers of both transports. */
export class EventStreams {
  readonly #bounds: StreamBounds;
  readonly #open = new Set<Stoppable>();
  #isStopping = false;

  constructor(bounds: StreamBounds = DEFAULT_STREAM_BOUNDS) {
    this.#bounds = bounds;
  }

  /** How many are open. */
  get count(): number {
    return this.#open.size;
  }

  /**
   * Takes in a stream that begins; {@link remove} is due once it is closed.
   *
   * @param onConnection how many its connection has open already
   * @throws {StreamsFullError}
   */
  add(stream: Stoppable, onConnection: number): void {
    const { total, perConnection } = this.#bounds;
    if (onConnection >= perConnection) throw new StreamsFullError(perConnection, 'connection');
    if (this.#open.size >= total) throw new StreamsFullError(total, 'sidecar');
    this.#open.add(stream);
    if (this.#isStopping) stream.stop();
  }

  /** A stream is closed: its client has all of it, or has gone. */
  remove(stream: Stoppable): void {
    this.#open.delete(stream);
  }

  /** Gives every stream its last word and ends it, and every later one once it has begun. */
  stop(): void {
    this.#isStopping = true;
    for (const stream of this.#open) stream.stop();
  }
}
