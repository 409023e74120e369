import { runWithin } from '../../base/race';
import type { Logger } from '../../base/logger';
import type { StoreObserver } from '../../lock/store-observer';
import { dialHedged } from '../attempts/hedged-dial';
import { OneLink } from '../attempts/one-link';
import { type PostgresqlAddress, toAddressText } from './connection-string';
import { describeError, isFinal, isUnknownStartupOption } from './postgresql-errors';
import { PostgresqlLink, SERVER_NAME } from './postgresql-link';
import type { PostgresqlSettings } from './postgresql-settings';
import { SILENT_DIAL_MS } from './session';

/** The dependencies of a connection. */
export interface PostgresqlConnectionOptions {
  readonly settings: PostgresqlSettings;
  readonly logger: Logger;
  readonly observer: StoreObserver;
  /** May write to a new link before any call does. */
  readonly onLink: (link: PostgresqlLink) => void;
}

/** Finds the server that accepts writes, and keeps a link to it. */
export function createPostgresqlConnection(
  options: PostgresqlConnectionOptions,
): OneLink<PostgresqlLink> {
  const { settings, logger, observer, onLink } = options;
  const dialer = new Dialer(settings);
  return new OneLink<PostgresqlLink>({
    serverName: SERVER_NAME,
    place: SERVER_NAME,
    logger,
    observer,
    isFinal,
    dial: (signals) => dialHedged((settled) => dialer.dial([...signals, settled]), SILENT_DIAL_MS),
    onLink,
  });
}

/** Tries the servers in turn. */
class Dialer {
  readonly #settings: PostgresqlSettings;
  /** False once a pooler has refused options in the startup message. */
  #withOptions = true;

  constructor(settings: PostgresqlSettings) {
    this.#settings = settings;
  }

  /** The first server that accepts writes. */
  async dial(signals: readonly AbortSignal[]): Promise<PostgresqlLink> {
    const failures: unknown[] = [];
    for (const address of this.#settings.addresses) {
      try {
        return await this.#dialServer(address, signals);
      } catch (error) {
        failures.push(withAddress(error, address));
      }
    }
    throw failures.length === 1 ? failures[0] : new AggregateError(failures, '');
  }

  async #dialServer(
    address: PostgresqlAddress,
    signals: readonly AbortSignal[],
  ): Promise<PostgresqlLink> {
    const settings = this.#settings;
    const open = (withOptions: boolean) =>
      runWithin({ afterMs: settings.dialTimeoutMs, signals }, (signal) =>
        PostgresqlLink.open({ settings, address, withOptions }, signal),
      );
    try {
      return await open(this.#withOptions);
    } catch (error) {
      if (!this.#withOptions || !isUnknownStartupOption(error)) throw error;
    }
    const link = await open(false);
    this.#withOptions = false;
    return link;
  }
}

/** Adds the server's address to an error, and what its SQLSTATE means. */
function withAddress(cause: unknown, address: PostgresqlAddress): Error {
  const text = describeError(cause);
  const where = toAddressText(address);
  return new Error(text.includes(where) ? text : `${text} (${where})`, { cause });
}
