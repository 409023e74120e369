/** The names of a store's tables and functions, quoted and with their schema. */
export interface TableNames {
  /** The schema, unquoted. */
  readonly schema: string;
  /** The name of the table of locks, unquoted and without the schema. */
  readonly table: string;
  readonly locks: string;
  readonly marks: string;
  readonly tickets: string;
  readonly sidecars: string;
  readonly floor: string;
  /** The name of a function, without its parameters. */
  toFunction(name: FunctionName): string;
}

/** The functions of a store, by what they do. */
export type FunctionName =
  'acquire' | 'renew' | 'release' | 'withdraw' | 'ask' | 'open' | 'refresh' | 'sweep';

/**
 * The version in the names of the functions. A function whose text changes gets a new one, so that
 * different versions of Holdfast can share a database.
 */
const VERSION = 'v1';

/** The schema of a table name without one. */
const DEFAULT_SCHEMA = 'public';

/** A name that means the same with and without quotes, and leaves room for suffixes. */
const NAME = /^[a-z_][a-z0-9_]{0,39}$/;

/**
 * Reads `tableName`: a name, or a schema and a name with a dot between.
 *
 * @returns undefined if it is not a name
 */
export function toTableNames(tableName: string): TableNames | undefined {
  const parts = tableName.split('.');
  const [schema = '', table = ''] = parts.length === 1 ? [DEFAULT_SCHEMA, ...parts] : parts;
  if (parts.length > 2 || !NAME.test(schema) || !NAME.test(table)) return undefined;
  const quote = (name: string) => `"${schema}"."${name}"`;
  return {
    schema,
    table,
    locks: quote(table),
    marks: quote(`${table}_marks`),
    tickets: quote(`${table}_tickets`),
    sidecars: quote(`${table}_sidecars`),
    floor: quote(`${table}_floor`),
    toFunction: (name) => quote(`${table}_${name}_${VERSION}`),
  };
}
