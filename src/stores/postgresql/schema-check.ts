import { createHash } from 'node:crypto';

import { toErrorMessage } from '../../base/error-message';
import { StoreError } from '../../lock/lock-store';
import { stateOf } from './postgresql-errors';
import { functionsOf, sourceOf, toSchemaSql, toSignature } from './schema';
import type { Runner } from './server-facts';
import type { PostgresqlSettings } from './postgresql-settings';
import type { TableNames } from './table-names';

/** Where the statements are that create tables and functions by hand. */
const HOW = 'docs/postgresql-schema.sql has the statements';

/**
 * Checks that the tables and functions are there, are those of this version, and may be used.
 * Creates them if they are not, and the settings allow it.
 *
 * @throws {StoreError} of kind `rejected`, naming everything that is wrong
 */
export async function ensureSchema(
  runner: Runner,
  { names, createsSchema }: PostgresqlSettings,
): Promise<void> {
  let problems = await findProblems(runner, names);
  if (problems.length > 0 && createsSchema) {
    await create(runner, names, problems);
    problems = await findProblems(runner, names);
  }
  if (problems.length === 0) return;
  const hint = createsSchema ? HOW : `${HOW}; or set schema to create`;
  throw refused(`the tables of the store can't be used: ${problems.join(', ')}; ${hint}`);
}

/**
 * Creates everything in one transaction. Sidecars that start together do it one after the other.
 * The statements have no parameters, so they are one message, which a pooler does not take apart.
 */
async function create(
  runner: Runner,
  names: TableNames,
  problems: readonly string[],
): Promise<void> {
  const lock = `SELECT pg_advisory_xact_lock(hashtext('holdfast schema'), hashtext('${names.locks}'));`;
  try {
    await runner.run({ text: `${lock}\n${toSchemaSql(names)}` });
  } catch (cause) {
    if (stateOf(cause) === undefined) throw cause;
    const reason = `${toErrorMessage(cause)} (because of: ${problems.join(', ')})`;
    throw refused(`the tables of the store can't be created: ${reason}; ${HOW}`, cause);
  }
}

/** Says in words which part of the schema is missing or can't be used. */
async function findProblems(runner: Runner, names: TableNames): Promise<readonly string[]> {
  return [
    ...(await findTableProblems(runner, names)),
    ...(await findFunctionProblems(runner, names)),
  ];
}

async function findTableProblems(runner: Runner, names: TableNames): Promise<readonly string[]> {
  const { locks, marks, tickets, sidecars, floor } = names;
  const rows = await runner.run({
    text: `SELECT name,
        CASE WHEN c.oid IS NULL THEN 'is missing'
          WHEN c.relpersistence <> 'p' THEN 'is not logged, so a crash empties it'
          ELSE 'lacks a permission of this user' END
      FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, ordinal)
      LEFT JOIN pg_class c ON c.oid = to_regclass(name)
      WHERE c.oid IS NULL OR c.relpersistence <> 'p' OR NOT (
        has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'UPDATE')
        AND (name = $2 OR has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'DELETE')))
      ORDER BY ordinal`,
    values: [[locks, marks, tickets, sidecars, floor], floor],
  });
  return rows.map(([name, problem]) => `table ${String(name)} ${String(problem)}`);
}

async function findFunctionProblems(runner: Runner, names: TableNames): Promise<readonly string[]> {
  const texts = functionsOf(names);
  const rows = await runner.run({
    text: `SELECT wanted.name,
        CASE WHEN p.oid IS NULL THEN 'is missing'
          WHEN wanted.hash <> md5(regexp_replace(p.prosrc, '\\s+', ' ', 'g'))
            THEN 'is not that of this version'
          ELSE 'may not be executed by this user' END
      FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY
        AS wanted (name, signature, hash, ordinal)
      LEFT JOIN pg_proc p ON p.oid = to_regprocedure(wanted.signature)
      WHERE p.oid IS NULL OR NOT has_function_privilege(p.oid, 'EXECUTE')
        OR wanted.hash <> md5(regexp_replace(p.prosrc, '\\s+', ' ', 'g'))
      ORDER BY ordinal`,
    values: [
      texts.map(({ name }) => names.toFunction(name)),
      texts.map((text) => toSignature(names, text)),
      texts.map((text) => toHash(sourceOf(text))),
    ],
  });
  return rows.map(([name, problem]) => `function ${String(name)} ${String(problem)}`);
}

function toHash(source: string): string {
  return createHash('md5').update(source.replace(/\s+/g, ' ')).digest('hex');
}

function refused(message: string, cause?: unknown): StoreError {
  return new StoreError(message, { kind: 'rejected', outcome: 'not-applied', cause });
}
