import { processClock } from '../../base/clock';
import { race } from '../../base/race';
import type { Link, SendFailure } from '../attempts/link';
import { ServerClock } from '../attempts/server-clock';
import type { PostgresqlAddress } from './connection-string';
import {
  describeError,
  isHopeless,
  isReadOnly,
  isSerializationFailure,
  toStoreError,
} from './postgresql-errors';
import { readDataEpoch, readFacts, readTime, type ServerFacts } from './server-facts';
import { NO_ANSWER, type Rows, Session, type SessionWay, type Statement } from './session';
import { SessionPool } from './session-pool';

/** The server's name in messages for users. */
export const SERVER_NAME = 'PostgreSQL';

/** How often a statement is run again that the server rolled back because of others. */
const MOST_ROLLBACKS = 5;

/**
 * The connections to one server, from the first handshake to the end of the last one. It never
 * reconnects after that.
 */
export class PostgresqlLink implements Link {
  readonly serverName = SERVER_NAME;
  readonly address: PostgresqlAddress;
  readonly facts: ServerFacts;
  readonly ended: Promise<Error>;
  readonly #pool: SessionPool;
  #clock: ServerClock | undefined;
  #dataEpoch: string | undefined;

  private constructor(way: SessionWay, facts: ServerFacts, pool: SessionPool) {
    this.address = way.address;
    this.facts = facts;
    this.#pool = pool;
    this.ended = pool.ended;
  }

  /**
   * Connects to a server, and reads what decides whether it can keep locks.
   *
   * @throws {Error} also if it is a standby
   */
  static async open(way: SessionWay, signal: AbortSignal): Promise<PostgresqlLink> {
    const session = await Session.open(way, signal);
    const pool = new SessionPool(way, session);
    try {
      return await race(PostgresqlLink.#read(way, session, pool), { signals: [signal] }, () => {
        throw new Error(NO_ANSWER);
      });
    } catch (error) {
      pool.end(error instanceof Error ? error : new Error('the handshake failed'));
      throw error;
    }
  }

  static async #read(way: SessionWay, session: Session, pool: SessionPool) {
    const link = new PostgresqlLink(way, await readFacts(session), pool);
    link.#clock = await ServerClock.of({ ask: () => readTime(link), clock: processClock });
    link.#dataEpoch = await link.readDataEpoch();
    return link;
  }

  get clock(): ServerClock | undefined {
    return this.#clock;
  }

  get dataEpoch(): string | undefined {
    return this.#dataEpoch;
  }

  get endReason(): Error | undefined {
    return this.#pool.endReason;
  }

  /**
   * Runs a statement on a free connection; if there is none, opens another or waits. A statement
   * that was rolled back because of others has done nothing, and is run again as it was.
   */
  async run(statement: Statement): Promise<Rows> {
    for (let rollbacks = 0; ; rollbacks += 1) {
      try {
        return await this.#pool.run(statement);
      } catch (error) {
        if (!isSerializationFailure(error) || rollbacks === MOST_ROLLBACKS) throw error;
      }
    }
  }

  readDataEpoch(): Promise<string | undefined> {
    return readDataEpoch(this, this.#pool.way.settings.names);
  }

  /** Opens a connection of its own to the same server. It is not part of the link. */
  openSession(signal: AbortSignal): Promise<Session> {
    return Session.open(this.#pool.way, signal);
  }

  /** Ends connections that were not needed for some time. */
  trim(): void {
    this.#pool.trim();
  }

  end(reason: Error): void {
    this.#pool.end(reason);
  }

  explain(error: unknown): SendFailure {
    return {
      error: toStoreError(error, this.endReason),
      hopeless: isHopeless(error) ? describeError(error) : undefined,
      useless: isReadOnly(error) ? new Error('this PostgreSQL is a read-only standby') : undefined,
    };
  }
}
