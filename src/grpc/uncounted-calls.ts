import type { Connection } from './connection';
import type { StreamShares } from './stream-shares';

/**
 * The calls that do not count against the share of unary calls of their connection: event streams and
 * calls that wait for a lock. One of the others may be the release that they wait for.
 */
export class UncountedCalls {
  readonly #shares: StreamShares | undefined;

  /** @param shares limits how many streams each connection may open; undefined for no limit */
  constructor(shares: StreamShares | undefined) {
    this.#shares = shares;
  }

  /** Records that one of the connection's calls is an event stream. */
  hold(connection: Connection): void {
    connection.heldStreams += 1;
    this.#shares?.hold(connection);
  }

  /** Records the end of an event stream. */
  letGo(connection: Connection): void {
    connection.heldStreams -= 1;
    this.#shares?.hold(connection);
  }

  /** Records that one of the connection's calls waits for a lock. */
  wait(connection: Connection): void {
    connection.waitingCalls += 1;
    this.#shares?.hold(connection);
  }

  /** Records the end of a call that may have waited. */
  stopWaiting(connection: Connection): void {
    connection.waitingCalls -= 1;
    this.#shares?.hold(connection);
  }
}
