/** The part of a stream that is needed to end it. */
interface Stoppable {
  stop(): void;
}

/** Maximum numbers of concurrent streams. Streams and unary calls have separate limits. */
export interface StreamBounds {
  /** On all connections of both transports. */
  readonly total: number;
  /** On one connection. Over HTTP/1.1 a connection never has more than one. */
  readonly perConnection: number;
}

/** The default limits. */
export const DEFAULT_STREAM_BOUNDS: StreamBounds = { total: 20_000, perConnection: 10_000 };

/** The limit of open streams is reached. */
export class StreamsFullError extends Error {
  override readonly name = 'StreamsFullError';
  readonly errorCode = 'ERR_TOO_MANY_STREAMS';
  /** Seconds after which there may be room again. */
  readonly retryAfterSeconds = 1;

  /** @param bound the limit that was reached */
  constructor(bound: number, where: 'connection' | 'sidecar') {
    super(
      `the limit of ${bound} open streams on this ${where} is reached; nothing was done, retry later`,
    );
  }
}

/** Limits that leave the refusal of holds to their own bound, which says more: at least the default ones. */
export function toStreamBounds(maxHolds: number): StreamBounds {
  const { total, perConnection } = DEFAULT_STREAM_BOUNDS;
  return {
    total: Math.max(total, 2 * maxHolds),
    perConnection: Math.max(perConnection, 2 * maxHolds),
  };
}

/** The open streams of both transports. */
export class EventStreams {
  readonly #bounds: StreamBounds;
  readonly #open = new Set<Stoppable>();
  #isStopping = false;

  constructor(bounds: StreamBounds = DEFAULT_STREAM_BOUNDS) {
    this.#bounds = bounds;
  }

  /** The number of open streams. */
  get count(): number {
    return this.#open.size;
  }

  /**
   * Adds a new stream. Call {@link remove} when it closes.
   *
   * @param onConnection how many streams are already open on the same connection
   * @throws {StreamsFullError} if a limit is reached
   */
  add(stream: Stoppable, onConnection: number): void {
    const { total, perConnection } = this.#bounds;
    if (onConnection >= perConnection) throw new StreamsFullError(perConnection, 'connection');
    if (this.#open.size >= total) throw new StreamsFullError(total, 'sidecar');
    this.#open.add(stream);
    if (this.#isStopping) stream.stop();
  }

  /** Removes a closed stream. Its client has received everything or has disconnected. */
  remove(stream: Stoppable): void {
    this.#open.delete(stream);
  }

  /** Sends each stream its last event and ends it. Streams that start later end at once. */
  stop(): void {
    this.#isStopping = true;
    for (const stream of this.#open) stream.stop();
  }
}
