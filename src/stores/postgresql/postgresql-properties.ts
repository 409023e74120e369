/** All metadata properties of `lock.postgresql`. docs/configuration.md has the same table. */
export const POSTGRESQL_PROPERTIES = [
  'connectionString',
  'tableName',
  'schema',
  'timeout',
  'dialTimeout',
  'maxConns',
  'connectionMaxIdleTime',
  'keyPrefix',
] as const;
