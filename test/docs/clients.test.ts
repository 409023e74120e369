import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { CLIENTS_PAGE, snippetFiles, withSnippets } from './client-snippets';

const INTEROP = path.join(__dirname, '../interop');

/** How many lines somebody reads who only wants to copy them. */
const AT_MOST_LINES = 50;

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

  // For the native API the sidecar draws such a name.
  const withOwners = snippetFiles(page).filter((file) => !file.startsWith('native/'));
  it.each(withOwners)('has %s give the owner a name that says who it is', (file) => {
    const text = readFileSync(path.join(INTEROP, file), 'utf8');
    expect(text).toMatch(/host|HOSTNAME|MachineName/i);
    expect(text).toMatch(/pid|\$\$|self\[0\]|process::id|ProcessId/i);
  });

  it.each(snippetFiles(page))(
    'keeps %s to the lines that a user needs, imports included',
    (file) => {
      const [text = ''] = page.split(`<!-- file ${file} -->`).slice(1);
      const lines = text.split('```')[1]?.trim().split('\n') ?? [];
      expect(lines.length - 1).toBeLessThanOrEqual(AT_MOST_LINES);
    },
  );
});
