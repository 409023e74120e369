import { readFileSync } from 'node:fs';
import path from 'node:path';

import { toGrantSql, toSchemaSql } from '../../../src/stores/postgresql/schema';
import { toTableNames } from '../../../src/stores/postgresql/table-names';
import { POSTGRESQL_PROPERTIES } from '../../../src/stores/postgresql/postgresql-properties';

const docs = path.join(__dirname, '../../../docs');

it('docs/postgresql-schema.sql has the statements that the store runs', () => {
  const names = toTableNames('holdfast_locks')!;
  const text = readFileSync(path.join(docs, 'postgresql-schema.sql'), 'utf8');
  expect(text).toContain(toSchemaSql(names));
  expect(text).toContain(toGrantSql(names, 'holdfast'));
});

it('docs/configuration.md has every property of lock.postgresql', () => {
  const page = readFileSync(path.join(docs, 'configuration.md'), 'utf8');
  const section = /## lock\.postgresql\n(.*?)\n## /s.exec(page)?.[1] ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  expect(rows).toEqual([...POSTGRESQL_PROPERTIES]);
});
