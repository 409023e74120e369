/** The cells of a table without the line below its head. */
export type Table = readonly (readonly string[])[];

/**
 * The first table of a Markdown text whose head begins with these cells.
 *
 * @throws {Error} if there is none
 */
export function findTable(markdown: string, head: readonly string[]): Table {
  const tables = markdown.match(/(?:^\|.*\|[ \t]*\n)+/gm) ?? [];
  const found = tables
    .map(toTable)
    .find(([cells = []]) => head.every((text, index) => cells[index] === text));
  if (found === undefined) throw new Error(`there is no table with the head ${head.join(', ')}`);
  return found;
}

function toTable(text: string): Table {
  const lines = text.trimEnd().split('\n').map(toCells);
  return [lines[0] ?? [], ...lines.slice(2)];
}

function toCells(line: string): readonly string[] {
  return line
    .trim()
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
}

/** The numbers of a cell such as `1,030 / 2.5` or `1.25 (0.91–1.41), met`. */
export function toNumbers(cell: string): readonly number[] {
  return (cell.match(/\d[\d,]*(?:\.\d+)?/g) ?? []).map((text) => Number(text.replaceAll(',', '')));
}
