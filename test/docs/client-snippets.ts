import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The page whose snippets come from the programs of test/interop. */
export const CLIENTS_PAGE = path.join(__dirname, '../../docs/clients.md');

const PROGRAMS = path.join(__dirname, '../interop');

/** How a line of the page says which file follows: `<!-- file go/report.go -->`. */
const PLACE = /<!-- file (\S+) -->\n\n```(\w+)\n[\s\S]*?```/g;

/**
 * The page with every snippet as it stands in the programs, where the interop run tries it. A snippet is
 * a whole file, so that it has its imports: the page can show neither what does not work nor half of it.
 */
export function withSnippets(page: string): string {
  return page.replace(PLACE, (_all, file: string, language: string) => {
    const text = readFileSync(path.join(PROGRAMS, file), 'utf8').trim();
    return `<!-- file ${file} -->\n\n\`\`\`${language}\n${text}\n\`\`\``;
  });
}

/** The files that a page shows. */
export function snippetFiles(page: string): readonly string[] {
  return [...page.matchAll(PLACE)].map(([, file = '']) => file);
}
