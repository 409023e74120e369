import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The real output of a tool, kept in a file. */
export function readFixture(name: string): string {
  return readFileSync(path.join(__dirname, 'fixtures', name), 'utf8');
}
