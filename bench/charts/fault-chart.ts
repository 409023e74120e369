import type { Chart, ChartPoint } from './chart';
import { findTable, toNumbers } from './markdown-table';

const SERIES = [
  { prefix: 'answered ', name: 'answers to calls', colour: 'blue' },
  { prefix: 'fault: ', name: 'faults while they were made', colour: 'amber' },
] as const;

/** The answers to the calls of a fault run, and the faults, from the table that the run prints. */
export function toFaultChart(markdown: string, note: string): Chart {
  const rows = findTable(markdown, ['what', 'how many'])
    .slice(1)
    .map(([what = '', number = '']) => ({ what, number: toNumbers(number)[0] ?? NaN }));
  const countOf = (what: string) => rows.find((row) => row.what === what)?.number ?? NaN;
  const shown = rows.filter(
    ({ what, number }) => number > 0 && SERIES.some(({ prefix }) => what.startsWith(prefix)),
  );
  const violations = countOf('violations');
  return {
    title: `${countOf('operations').toLocaleString('en-US')} operations under faults: ${violations} violations`,
    notes: [note],
    axis: 'how many (logarithmic)',
    logBase: 10,
    rows: shown.map(({ what }) => what.replace(/^fault: /, '')),
    values: shown.map(({ number }) => number.toLocaleString('en-US')),
    isSpread: false,
    series: SERIES.map(({ prefix, name, colour }) => ({
      name,
      colour,
      points: shown.flatMap(({ what, number }, row): ChartPoint[] =>
        what.startsWith(prefix) ? [{ row, at: number, from: 1 }] : [],
      ),
    })),
  };
}
