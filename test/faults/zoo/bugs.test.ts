import { readFileSync } from 'node:fs';
import path from 'node:path';

import { BUGS } from './bugs';
import { mutate } from './mutate';
import { MUTANTS } from './mutants';

describe('the zoo', () => {
  // An animal that is made of a script of the store throws where the piece that it changes is gone.
  it('has animals of different names', () => {
    const names = [...BUGS, ...MUTANTS].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(BUGS.length).toBeGreaterThan(27);
    expect(MUTANTS.length).toBeGreaterThan(26);
  });

  it.each(MUTANTS)('finds every piece that makes "$name"', ({ changes }) => {
    for (const change of changes) {
      const file = path.join(__dirname, '../../../src', change.file);
      const source = readFileSync(file, 'utf8');
      expect(mutate(source, change)).not.toBe(source);
    }
  });
});
