import type { Connection } from './connection';
import { hasUnsent, setReading } from './socket-handle';

/**
 * Maximum cost of strangers in one turn of the event loop. The unit is one refused call; this many
 * take about 10 ms.
 */
const COST_A_TURN = 300;

/** Maximum number of connections without an admitted call. Each takes about 20 KB. */
const MOST_STRANGERS = 1000;

/** The cost of a new connection, in refused calls. */
export const CONNECTION_COST = 15;

/** Header bytes that take as much time to process as one refused call. */
export const HEADER_BYTES_A_CALL = 4096;

/** How many strangers are read in each turn after all of them were stopped. */
const READ_IN_A_TURN = 2;

/**
 * Protects known clients from many strangers. A stranger is a connection on which no call was
 * admitted yet. One turn of the event loop reads all data that has arrived on all sockets. If
 * strangers cost too much in one turn, reading from all of them stops, and later turns read only a
 * few at a time. So strangers wait for each other, and known clients do not wait. A stranger that
 * does not read its refusals is disconnected at that point, because node:http2 resumes reading its
 * socket whenever a write completes.
 */
export class Strangers {
  readonly #all = new Set<Connection>();
  /** Strangers whose sockets are read, and strangers whose sockets are paused. */
  readonly #read = new Set<Connection>();
  readonly #stopped = new Set<Connection>();
  #cost = 0;
  #isResuming = false;

  /** Adds a new connection. If there are too many, the oldest is closed: it may be abandoned. */
  add(connection: Connection): void {
    const [oldest] = this.#all;
    if (oldest !== undefined && this.#all.size >= MOST_STRANGERS) oldest.socket.destroy();
    this.#all.add(connection);
    this.#read.add(connection);
    this.spend(connection, CONNECTION_COST);
  }

  /** Removes a connection that has closed or is no longer a stranger. */
  remove(connection: Connection): void {
    this.#all.delete(connection);
    this.#read.delete(connection);
    if (this.#stopped.delete(connection)) setReading(connection.socket, true);
  }

  /** Adds to the cost of a connection. This has an effect only while it is a stranger. */
  spend(connection: Connection, cost: number): void {
    if (connection.isKnown) return;
    this.#cost += cost;
    if (this.#cost > COST_A_TURN) this.#stopAll();
    this.#resumeLater();
  }

  #stopAll(): void {
    for (const connection of this.#read) {
      this.#read.delete(connection);
      this.#stopped.add(connection);
      setReading(connection.socket, false);
      cutUnread(connection);
    }
  }

  #resumeLater(): void {
    if (this.#isResuming) return;
    this.#isResuming = true;
    setImmediate(() => {
      this.#isResuming = false;
      this.#cost = 0;
      let count = 0;
      for (const connection of this.#stopped) {
        if (count === READ_IN_A_TURN) break;
        count += 1;
        this.#stopped.delete(connection);
        this.#read.add(connection);
        setReading(connection.socket, true);
        cutUnread(connection);
      }
      if (this.#stopped.size > 0) this.#resumeLater();
    });
  }
}

function cutUnread({ socket }: Connection): void {
  if (hasUnsent(socket)) socket.destroy();
}
