import {
  acquireFunction,
  releaseFunction,
  renewFunction,
  withdrawFunction,
} from './lock-functions';
import { askFunction, openFunction, refreshFunction, sweepFunction } from './queue-functions';
import type { FunctionName, TableNames } from './table-names';

/** A function of PL/pgSQL. Parameters, results and variables are names with their types. */
export interface FunctionText {
  readonly name: FunctionName;
  readonly parameters: Readonly<Record<string, string>>;
  readonly results: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
  readonly body: string;
}

/** All functions of a store. */
export function functionsOf(names: TableNames): readonly FunctionText[] {
  return [
    acquireFunction,
    renewFunction,
    releaseFunction,
    withdrawFunction,
    askFunction,
    openFunction,
    refreshFunction,
    sweepFunction,
  ].map((toText) => toText(names));
}

/** The statements that create the tables and functions. They may be run again. */
export function toSchemaSql(names: TableNames): string {
  return `${tablesSql(names)}\n${functionsOf(names)
    .map((text) => functionSql(names, text))
    .join('\n')}`;
}

/** The statements that permit a role to use them, and nothing else. */
export function toGrantSql(names: TableNames, role: string): string {
  const { schema, locks, marks, tickets, sidecars, floor } = names;
  const functions = functionsOf(names).map((text) => toSignature(names, text));
  return `GRANT USAGE ON SCHEMA "${schema}" TO ${role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ${locks}, ${marks}, ${tickets}, ${sidecars} TO ${role};
GRANT SELECT, UPDATE ON ${floor} TO ${role};
GRANT EXECUTE ON FUNCTION
  ${functions.join(',\n  ')} TO ${role};
`;
}

/** A function with the types of its parameters. */
export function toSignature(names: TableNames, { name, parameters }: FunctionText): string {
  return `${names.toFunction(name)}(${Object.values(parameters).join(', ')})`;
}

/**
 * The tables. Rows of locks change often, so their pages have room for the next version of a row
 * (no index contains what changes), and dead versions are removed early.
 */
function tablesSql({ locks, marks, tickets, sidecars, floor, table }: TableNames): string {
  return `CREATE TABLE IF NOT EXISTS ${locks} (
  id bytea PRIMARY KEY, -- SHA-256 of the key
  key bytea NOT NULL,
  owner bytea, -- NULL: nobody holds the lock
  attempt uuid,
  token bigint NOT NULL,
  ends_at timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE TABLE IF NOT EXISTS ${marks} (
  attempt uuid PRIMARY KEY,
  sends integer NOT NULL,
  released boolean NOT NULL,
  kept_until timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE TABLE IF NOT EXISTS ${tickets} (
  attempt uuid PRIMARY KEY,
  lock_id bytea NOT NULL,
  place bigint NOT NULL,
  sidecar uuid NOT NULL,
  deadline timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX IF NOT EXISTS "${table}_queue" ON ${tickets} (lock_id, place, attempt);
CREATE TABLE IF NOT EXISTS ${sidecars} (
  sidecar uuid PRIMARY KEY,
  session bigint NOT NULL,
  present_until timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
-- The highest token among the rows that were deleted.
CREATE TABLE IF NOT EXISTS ${floor} (token bigint NOT NULL);
INSERT INTO ${floor} SELECT 0 WHERE NOT EXISTS (SELECT FROM ${floor});
`;
}

/** The source of a function between its quotes, as PostgreSQL keeps it. */
export function sourceOf({ variables, body }: FunctionText): string {
  const declared = Object.entries(variables).map(([name, type]) => `  ${name} ${type};\n`);
  return `\nDECLARE\n${declared.join('')}BEGIN${body}\nEND\n`;
}

function functionSql(names: TableNames, text: FunctionText): string {
  const { name, parameters, results } = text;
  const inputs = Object.entries(parameters).map(([each, type]) => `${each} ${type}`);
  const outputs = Object.entries(results).map(([each, type]) => `OUT ${each} ${type}`);
  return `CREATE OR REPLACE FUNCTION ${names.toFunction(name)}(
  ${[...inputs, ...outputs].join(',\n  ')}
) LANGUAGE plpgsql AS $holdfast$${sourceOf(text)}$holdfast$;
`;
}
