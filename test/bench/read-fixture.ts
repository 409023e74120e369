import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What a tool has really written, kept in a file. */
export function readFixture(name: string): string {
  return readFileSync(path.join(__dirname, 'fixtures', name), 'utf8');
}
