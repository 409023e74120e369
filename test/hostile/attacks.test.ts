import { readFileSync } from 'node:fs';
import path from 'node:path';

import { ATTACKS } from './attacks';

const OPERATIONS = path.join(__dirname, '../../docs/operations.md');

describe('the list of attacks', () => {
  it('stands in docs/operations.md, each with what it does', () => {
    const rows = readFileSync(OPERATIONS, 'utf8').split('\n');
    const documented = rows.flatMap(
      (row) => /^\|.*\| `([a-z][a-z0-9-]+)` +\|$/.exec(row)?.[1] ?? [],
    );
    expect(documented.sort()).toEqual(ATTACKS.map(({ name }) => name).sort());
  });
});
