import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { CLIENTS_PAGE, snippetFiles, withSnippets } from './client-snippets';

const INTEROP = path.join(__dirname, '../interop');

describe('docs/clients.md', () => {
  const page = readFileSync(CLIENTS_PAGE, 'utf8');

  it('shows what the tried programs do, to the letter (npm run docs writes it)', () => {
    expect(page).toBe(withSnippets(page));
  });

  it('has lines for every language that is tried', () => {
    const folders = readdirSync(INTEROP, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    const shown = new Set(snippetFiles(page).map((file) => file.split('/')[0]));
    expect([...shown].sort()).toEqual(folders.sort());
  });

  it.each(snippetFiles(page))(
    'keeps %s to the lines that a user needs, imports included',
    (file) => {
      const [text = ''] = page.split(`<!-- file ${file} -->`).slice(1);
      const lines = text.split('```')[1]?.trim().split('\n') ?? [];
      expect(lines.length - 1).toBeLessThanOrEqual(30);
    },
  );
});
