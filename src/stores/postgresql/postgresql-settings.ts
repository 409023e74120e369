import type { MetadataProperties } from '../../components/metadata-properties';
import { MetadataValueError, parseGoDuration, parseGoInteger } from '../../go/go-values';
import { SystemAuthorities } from '../../trust/system-authorities';
import {
  type ConnectionString,
  parseConnectionString,
  type PostgresqlAddress,
} from './connection-string';
import { type PostgresqlTls, readTls } from './postgresql-tls';
import { type TableNames, toTableNames } from './table-names';

/** Validated metadata of the component: how to reach a PostgreSQL, its tables and its time-outs. */
export interface PostgresqlSettings {
  /** The servers. The first that accepts writes is used. */
  readonly addresses: readonly [PostgresqlAddress, ...PostgresqlAddress[]];
  readonly user: string | undefined;
  /** Never logged. */
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly applicationName: string;
  /** Options for the server process, from the connection string. */
  readonly options: string;
  readonly tls: PostgresqlTls | undefined;
  readonly names: TableNames;
  /** True if missing tables and functions are created at the start. */
  readonly createsSchema: boolean;
  /** Time-out of one send of a call. Default: 3 s. */
  readonly timeoutMs: number;
  /** Time-out of a whole call with its repetitions: 10 s, or `timeoutMs` if that is longer. */
  readonly callTimeoutMs: number;
  /** Time-out for opening a connection. Default: 5 s. */
  readonly dialTimeoutMs: number;
  /** The most connections for calls. One more is for wake-ups. Default: 10. */
  readonly maxConnections: number;
  /** How long a connection is kept that is not needed. Default: 1 min. */
  readonly maxIdleMs: number;
}

const DEFAULT_TABLE = 'holdfast_locks';
const DEFAULT_TIMEOUT_MS = 3000;
const DEFAULT_DIAL_TIMEOUT_MS = 5000;
const DEFAULT_CALL_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_CONNECTIONS = 10;
const DEFAULT_MAX_IDLE_MS = 60_000;

/** The bounds of time-outs, in milliseconds. */
const TIMEOUT_BOUNDS = { least: 100, most: 60_000 } as const;

/**
 * Parses the settings of a `lock.postgresql` component (docs/configuration.md has the table).
 *
 * @param authorities the trusted authorities if the connection string names none
 * @throws {Error} naming every invalid property and what is allowed
 */
export function parsePostgresqlSettings(
  properties: MetadataProperties,
  authorities = new SystemAuthorities({}),
): PostgresqlSettings {
  const reader = new PropertyReader(properties);
  const connection = reader.read('connectionString', parseConnectionString);
  const tls = reader.read('connectionString', (text) => tlsOf(text, authorities));
  const names = reader.read('tableName', parseTableName) ?? parseTableName(DEFAULT_TABLE);
  const createsSchema = reader.read('schema', parseSchema) ?? true;
  const timeoutMs = reader.read('timeout', parseTimeout) ?? DEFAULT_TIMEOUT_MS;
  const dialTimeoutMs = reader.read('dialTimeout', parseTimeout);
  const maxConnections = reader.read('maxConns', parseMaxConnections) ?? DEFAULT_MAX_CONNECTIONS;
  const maxIdleMs = reader.read('connectionMaxIdleTime', parseTimeout) ?? DEFAULT_MAX_IDLE_MS;
  reader.assertNoProblems();
  if (connection === undefined) throw new Error('metadata property connectionString is empty');
  const { addresses, parameters } = connection;
  return Object.freeze({
    addresses,
    user: parameters.get('user'),
    password: parameters.get('password'),
    database: parameters.get('dbname'),
    applicationName: parameters.get('application_name') ?? 'holdfast',
    options: parameters.get('options') ?? '',
    tls,
    names,
    createsSchema,
    timeoutMs,
    callTimeoutMs: Math.max(DEFAULT_CALL_TIMEOUT_MS, timeoutMs),
    dialTimeoutMs: dialTimeoutMs ?? connectTimeoutOf(connection) ?? DEFAULT_DIAL_TIMEOUT_MS,
    maxConnections,
    maxIdleMs,
  });
}

/** Reads values and collects their errors, so that all of them are reported together. */
class PropertyReader {
  readonly #properties: MetadataProperties;
  readonly #problems = new Map<string, string>();

  constructor(properties: MetadataProperties) {
    this.#properties = properties;
  }

  read<T>(name: string, parse: (text: string) => T): T | undefined {
    const text = this.#properties.get(name) ?? '';
    if (text === '') return undefined;
    try {
      return parse(text);
    } catch (error) {
      this.#problems.set(name, this.#describe(name, error));
      return undefined;
    }
  }

  assertNoProblems(): void {
    if (this.#problems.size === 0) return;
    const lines = [...this.#problems].map(([name, text]) => `${name}: ${text}`);
    throw new Error(`invalid metadata of lock.postgresql: ${lines.join('; ')}`);
  }

  #describe(name: string, error: unknown): string {
    if (error instanceof MetadataValueError) {
      return error.describe(this.#properties.show(name, error.value));
    }
    if (error instanceof Error) return error.message;
    throw error;
  }
}

function tlsOf(text: string, authorities: SystemAuthorities): PostgresqlTls | undefined {
  return readTls(parseConnectionString(text).parameters, authorities);
}

function parseTableName(text: string): TableNames {
  const names = toTableNames(text);
  if (names !== undefined) return names;
  throw new MetadataValueError(
    text,
    (shown) =>
      `"${shown}" is not a table name (allowed: up to 40 of a-z, 0-9 and _, not beginning with a digit; a schema and a dot may precede it)`,
  );
}

function parseSchema(text: string): boolean {
  if (text === 'create') return true;
  if (text === 'check') return false;
  throw new MetadataValueError(text, (shown) => `"${shown}" is unknown (allowed: create, check)`);
}

function parseTimeout(text: string): number {
  const timeoutMs = Math.round(parseGoDuration(text));
  const { least, most } = TIMEOUT_BOUNDS;
  if (timeoutMs >= least && timeoutMs <= most) return timeoutMs;
  throw new MetadataValueError(
    text,
    (shown) => `"${shown}" is out of range (allowed: ${least}ms to ${most / 1000}s)`,
  );
}

function parseMaxConnections(text: string): number {
  return parseGoInteger(text, { min: 1, max: 1000 });
}

/** libpq's own time-out, in whole seconds. Used if it is within our bounds. */
function connectTimeoutOf({ parameters }: ConnectionString): number | undefined {
  const timeoutMs = Number(parameters.get('connect_timeout') ?? NaN) * 1000;
  return timeoutMs >= TIMEOUT_BOUNDS.least && timeoutMs <= TIMEOUT_BOUNDS.most
    ? timeoutMs
    : undefined;
}
