import type { TableNames } from './table-names';
import { oneRow, toNumber, toText } from './replies';
import type { Session, Statement, Rows } from './session';

/** The facts that a server states about itself in the handshake. */
export interface ServerFacts {
  /** True if a pooler is between: the process that answers is not the one of the handshake. */
  readonly isPooled: boolean;
  /** False if nothing limits how long a statement runs. */
  readonly hasStatementTimeout: boolean;
  /** False if the server does not wait for its disk, so that a crash of the machine loses data. */
  readonly isDurable: boolean;
}

/** Runs a statement: a session, or a link. */
export interface Runner {
  run(statement: Statement): Promise<Rows>;
}

/**
 * Reads the facts of a server.
 *
 * @throws {Error} if it accepts no writes
 */
export async function readFacts(session: Session): Promise<ServerFacts> {
  const rows = await session.run({
    text: `SELECT pg_backend_pid(), pg_is_in_recovery(), current_setting('transaction_read_only'),
      current_setting('statement_timeout'), current_setting('fsync')`,
  });
  const [pid, isStandby, readOnly, timeout, fsync] = oneRow(rows);
  if (isStandby === true) throw new Error('this PostgreSQL is a read-only standby');
  if (readOnly === 'on') {
    throw new Error('this PostgreSQL accepts no writes: default_transaction_read_only is on');
  }
  return {
    isPooled: toNumber(pid) !== session.processId,
    hasStatementTimeout: timeout !== '0',
    isDurable: fsync !== 'off',
  };
}

/** The server's time, in whole milliseconds since 1970. */
export async function readTime(runner: Runner): Promise<number> {
  const text = 'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint';
  return toNumber(oneRow(await runner.run({ text }))[0]);
}

/**
 * Identifies the lifetime of the data: the timeline, which changes with every promotion, and the
 * file of the table of marks, which changes when it is truncated or created again. Undefined if the
 * server can't tell, as some managed ones.
 */
export async function readDataEpoch(
  runner: Runner,
  { marks }: TableNames,
): Promise<string | undefined> {
  const text = `SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
    || '/' || coalesce(pg_relation_filenode(to_regclass($1)), 0)`;
  try {
    const [epoch] = oneRow(await runner.run({ text, values: [marks] }));
    return toText(epoch);
  } catch (error) {
    if (isServerError(error)) return undefined;
    throw error;
  }
}

function isServerError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'severity' in error;
}
