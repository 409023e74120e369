import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { BUGS } from './bugs';
import { mutate } from './mutate';
import { MUTANTS } from './mutants';
import { STORE_MUTANTS } from './store-mutants';
import { FAULT_RUN, SUITES } from './store-suites';

describe('the zoo', () => {
  // An animal that is made of a script of the store throws where the piece that it changes is gone.
  it('has animals of different names', () => {
    const names = [...BUGS, ...MUTANTS].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(BUGS.length).toBeGreaterThan(27);
    expect(MUTANTS.length).toBeGreaterThan(26);
  });

  it.each(Object.entries(STORE_MUTANTS))(
    'has animals of different names: %s',
    (_store, mutants) => {
      expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
      expect(mutants.length).toBeGreaterThan(15);
    },
  );

  it.each(Object.entries(SUITES))('has every file that checks %s', (store, { tests, faultRun }) => {
    const mutants = STORE_MUTANTS[store as keyof typeof STORE_MUTANTS];
    const places = mutants.map(({ first }) => first).filter((first) => first !== FAULT_RUN);
    const files = [...tests, ...places.map(([file]) => file), faultRun];
    const missing = files.filter((file) => !existsSync(path.join(__dirname, '../../..', file)));
    expect(missing).toEqual([]);
  });

  const all = [...MUTANTS, ...Object.values(STORE_MUTANTS).flat()];

  it.each(all)('finds every piece that makes "$name"', ({ changes }) => {
    for (const change of changes) {
      const file = path.join(__dirname, '../../../src', change.file);
      const source = readFileSync(file, 'utf8');
      expect(mutate(source, change)).not.toBe(source);
    }
  });
});
