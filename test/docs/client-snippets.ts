import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The page whose snippets come from the programs of test/interop. */
export const CLIENTS_PAGE = path.join(__dirname, '../../docs/clients.md');

const PROGRAMS = path.join(__dirname, '../interop');

/** How a line of the page says which part of which program follows: `<!-- snippet go/main.go -->`. */
const PLACE = /<!-- snippet (\S+)(?: (\S+))? -->\n\n```(\w+)\n[\s\S]*?```/g;

/**
 * The page with every snippet as it stands in its program, where the interop run tries it. So the
 * page can't show what does not work.
 */
export function withSnippets(page: string): string {
  return page.replace(PLACE, (_all, file: string, part: string | undefined, language: string) => {
    const place = part === undefined ? file : `${file} ${part}`;
    return `<!-- snippet ${place} -->\n\n\`\`\`${language}\n${readSnippet(file, part)}\n\`\`\``;
  });
}

/** The places of a page, as `FILE` or `FILE PART`. */
export function snippetPlaces(page: string): readonly string[] {
  return [...page.matchAll(PLACE)].map(([, file = '', part]) => [file, part].join(' ').trim());
}

/** The lines between `docs: begin` and `docs: end` of a program, without their common indentation. */
function readSnippet(file: string, part: string | undefined): string {
  const lines = readFileSync(path.join(PROGRAMS, file), 'utf8').split('\n');
  const begin = part === undefined ? 'docs: begin' : `docs: begin ${part}`;
  const from = lines.findIndex((line) => line.trim().replace(/^(\/\/|#) /, '') === begin);
  if (from < 0) throw new Error(`${file} has no line "${begin}"`);
  const length = lines.slice(from + 1).findIndex((line) => /(\/\/|#) docs: end$/.test(line));
  const snippet = lines.slice(from + 1, from + 1 + length);
  const indent = Math.min(
    ...snippet.filter((line) => line.trim() !== '').map((line) => /^\s*/.exec(line)![0].length),
  );
  return snippet
    .map((line) => line.slice(indent))
    .join('\n')
    .trim();
}
