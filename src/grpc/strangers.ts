import type { Connection } from './connection';
import { hasUnsent, setReading } from './socket-handle';

/**
 * What strangers may cost in one turn of the event loop: about ten milliseconds' worth of calls that
 * are refused, each of which is one.
 */
const COST_A_TURN = 300;

/** The most connections on which nothing was let in yet; each takes some 20 KB. */
const MOST_STRANGERS = 1000;

/** What a new connection costs, in refused calls. */
export const CONNECTION_COST = 15;

/** How many strangers are read in a turn once all of them have been stopped. */
const READ_IN_A_TURN = 2;

/**
 * Lets no crowd of strangers, connections on which nothing was let in yet, keep everybody else
 * waiting. All that has arrived on all sockets is read in one turn of the event loop. Where strangers have
 * cost too much in one, they are read no further, and then a few in each turn: they wait for
 * each other, and those who are known do not. One that does not even read its refusals is cut then:
 * node:http2 reads it again when a write is done, whatever was said here.
 */
export class Strangers {
  readonly #all = new Set<Connection>();
  /** Those of them that are read, and those that are not. */
  readonly #read = new Set<Connection>();
  readonly #stopped = new Set<Connection>();
  #cost = 0;
  #isResuming = false;

  /** A connection came; the oldest goes where there are too many, as it may be nobody. */
  add(connection: Connection): void {
    const [oldest] = this.#all;
    if (oldest !== undefined && this.#all.size >= MOST_STRANGERS) oldest.socket.destroy();
    this.#all.add(connection);
    this.#read.add(connection);
    this.spend(connection, CONNECTION_COST);
  }

  /** A connection has gone, or is a stranger no more. */
  remove(connection: Connection): void {
    this.#all.delete(connection);
    this.#read.delete(connection);
    if (this.#stopped.delete(connection)) setReading(connection.socket, true);
  }

  /** Counts what a connection costs, which matters while it is a stranger. */
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
