/** The row of one client in the report. */
export interface TableRow {
  readonly client: string;
  readonly version: string;
  /** "31 of 31", or why it was not run. */
  readonly outcome: string;
}

/** The table of a run, its columns aligned, as Markdown. */
export function toTable(rows: readonly TableRow[]): string {
  return toMarkdownTable([
    ['client', 'version', 'steps passed'],
    ...rows.map(({ client, version, outcome }) => [client, version, outcome]),
  ]);
}

/** A table, its columns aligned, as Markdown. The first row is its head. */
export function toMarkdownTable(cells: readonly (readonly string[])[]): string {
  const [head = [], ...body] = cells;
  const widths = head.map((_title, column) =>
    Math.max(...cells.map((row) => (row[column] ?? '').length)),
  );
  const toLine = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...body].map(toLine).join('');
}
