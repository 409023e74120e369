import { Client, type ClientConfig } from 'pg';

import { race } from '../../base/race';
import type { PostgresqlAddress } from './connection-string';
import { NotSentError, UnsureAnswerError } from './postgresql-errors';
import type { PostgresqlSettings } from './postgresql-settings';

/** A statement with its parameters. */
export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** The rows of an answer; each is a list of values. */
export type Rows = readonly (readonly unknown[])[];

/** How a session is opened. */
export interface SessionWay {
  readonly settings: PostgresqlSettings;
  readonly address: PostgresqlAddress;
  /** False for a pooler that takes no options in the startup message. */
  readonly withOptions: boolean;
}

/**
 * How long an attempt to connect may be silent before a second one starts, in milliseconds: each is
 * a process of the server.
 */
export const SILENT_DIAL_MS = 1000;

/** The error for a server that was silent until the time for a handshake was over. */
export const NO_ANSWER = 'no answer in time';

/** The routine of the server that warns of a commit that no synchronous replica has confirmed. */
const UNCONFIRMED = 'SyncRepWaitForLSN';

/** pg's error for a server without TLS. It has no code. */
const NO_TLS = 'The server does not support SSL connections';

/** One connection to a server process, or to a pooler. It never reconnects, and runs one statement at a time. */
export class Session {
  readonly #client: Client;
  #endReason: Error | undefined;
  #isUnsure = false;
  #resolveEnded: (reason: Error) => void = () => undefined;
  /** Resolves with the reason when the connection has ended. */
  readonly ended = new Promise<Error>((resolve) => {
    this.#resolveEnded = resolve;
  });
  /** When it was last used, on the monotonic clock. */
  usedAtMs = performance.now();

  private constructor(config: ClientConfig) {
    this.#client = new Client(config);
    this.#client.on('error', (error) => {
      this.end(error);
    });
    this.#client.on('end', () => {
      this.end(new Error('the connection was closed'));
    });
    this.#client.on('notice', (notice) => {
      if (notice.routine === UNCONFIRMED) this.#isUnsure = true;
    });
  }

  /** Opens a connection within the time of the signal. */
  static async open(way: SessionWay, signal: AbortSignal): Promise<Session> {
    const { tls } = way.settings;
    if (tls === undefined) return Session.#connect(toConfig(way), signal);
    try {
      return await Session.#connect({ ...toConfig(way), ssl: tls.toOptions() }, signal);
    } catch (error) {
      if (!tls.isOptional || !(error instanceof Error) || error.message !== NO_TLS) throw error;
      return Session.#connect(toConfig(way), signal);
    }
  }

  static async #connect(config: ClientConfig, signal: AbortSignal): Promise<Session> {
    const session = new Session(config);
    try {
      await race(session.#client.connect(), { signals: [signal] }, () => {
        throw new Error(NO_ANSWER);
      });
      return session;
    } catch (error) {
      session.end(error instanceof Error ? error : new Error('the connection failed'));
      throw error;
    }
  }

  /** Why it ended. Undefined while it is open. */
  get endReason(): Error | undefined {
    return this.#endReason;
  }

  /** The process id from the handshake. A pooler makes up its own. */
  get processId(): number | null {
    return (this.#client as unknown as { readonly processID: number | null }).processID;
  }

  /**
   * Runs one statement. It is written before this returns. Rejects with pg's error.
   *
   * A statement that somebody cancels while it waits for a synchronous replica is answered like one
   * that the replica has. Only a warning tells. Such an answer counts as lost.
   */
  async run({ text, values }: Statement): Promise<Rows> {
    if (this.#endReason !== undefined) throw new NotSentError(this.#endReason.message);
    this.usedAtMs = performance.now();
    const query = { text, rowMode: 'array' as const };
    const { rows } = await this.#client.query<unknown[]>(
      values === undefined ? query : { ...query, values: [...values] },
    );
    if (!this.#isUnsure) return rows;
    const error = new UnsureAnswerError('no synchronous replica has confirmed the commit');
    this.end(error);
    throw error;
  }

  /** Calls back for each notification: with its channel and payload. */
  onNotification(listener: (channel: string, payload: string) => void): void {
    this.#client.on('notification', ({ channel, payload = '' }) => {
      listener(channel, payload);
    });
  }

  /** Ends it at once. A statement in flight is rejected. */
  end(reason: Error): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    streamOf(this.#client).destroy();
    this.#resolveEnded(reason);
  }
}

/** pg's `end()` waits for the statement in flight, and for the server. */
function streamOf(client: Client): { destroy(): void } {
  return (client as unknown as { readonly connection: { readonly stream: { destroy(): void } } })
    .connection.stream;
}

function toConfig({ settings, address, withOptions }: SessionWay): ClientConfig {
  const { user, password, database, applicationName, options } = settings;
  return {
    host: address.host,
    port: address.port,
    application_name: applicationName,
    keepAlive: true,
    ssl: false,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ...(withOptions ? { options: toOptions(settings) } : options === '' ? {} : { options }),
  };
}

/** The share of a call's time-out after which the server ends the statement, so that it answers. */
const STATEMENT_SHARE = 0.9;

/**
 * Options of the server process. They hold for its whole life, unlike SET, which a pooler would
 * pass to any of its connections.
 */
function toOptions({ timeoutMs, options }: PostgresqlSettings): string {
  const statementMs = Math.floor(timeoutMs * STATEMENT_SHARE);
  const own = [
    `statement_timeout=${statementMs}`,
    `idle_in_transaction_session_timeout=${timeoutMs}`,
    String.raw`default_transaction_isolation=read\ committed`,
  ].map((option) => `-c ${option}`);
  return [...own, options].join(' ').trim();
}
