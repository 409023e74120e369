import type { Bounds } from './attack';
import type { AttackReport } from './hostile-run';
import type { ProbeResult } from './probe';

const COLUMNS: readonly (readonly [string, keyof Bounds])[] = [
  ['peak RSS MiB', 'peakRssMb'],
  ['held +MiB', 'heldMb'],
  ['kept +MiB', 'keptMb'],
  ['stall ms', 'stallMs'],
  ['failed calls', 'failedCalls'],
  ['descriptors left', 'descriptorsLeft'],
  ['locks left', 'locksLeft'],
  ['stop ms', 'stopMs'],
];

/** The table of a run as Markdown: each value beside its bound. */
export function toTable(reports: readonly AttackReport[]): string {
  const head = ['attack', 'kind', ...COLUMNS.map(([title]) => title), 'verdict'];
  const rows = reports.map((report) => [
    report.attack.name,
    report.attack.kind,
    ...COLUMNS.map(([, name]) => toCell(report, name)),
    report.broken.length === 0 ? 'ok' : 'BROKEN',
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const toLine = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |\n`;
  return [head, widths.map((width) => '-'.repeat(width)), ...rows].map(toLine).join('');
}

function toCell({ measures, bounds }: AttackReport, name: keyof Bounds): string {
  const value = measures[name];
  return value === undefined ? '' : `${Math.round(value)} / ${bounds[name]}`;
}

/** Details for which the table has no room: what one attack alone measures, other bounds, what was broken. */
export function toNotes(reports: readonly AttackReport[]): string {
  return reports.map((report) => toNote(report)).join('');
}

/** The note on one attack, with what it does; empty where there is nothing to add to its row. */
function toNote({ attack, findings, probe, broken, log }: AttackReport): string {
  const lines = [
    ...findings.map(
      ({ what, value, atMost, atLeast }) =>
        `${what}: ${value}${atMost === undefined ? '' : `, at most ${atMost}`}${atLeast === undefined ? '' : `, at least ${atLeast}`}`,
    ),
    ...(attack.bounds === undefined ? [] : [`other bounds: ${attack.bounds.because}`]),
    ...broken.map((each) => `BROKEN ${each}`),
    ...(broken.length === 0 || probe === undefined ? [] : [describeStall(probe)]),
    ...(broken.length === 0 ? [] : (probe?.failures ?? []).map((each) => `failed call: ${each}`)),
    ...(log === '' ? [] : [`the sidecar's log ends:\n${log}`]),
  ];
  if (lines.length === 0) return '';
  return `\n${attack.name}: ${attack.description}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function describeStall({ stalled, stallMs, waitedMs }: ProbeResult): string {
  const [own, waited] = [Math.round(stallMs), Math.round(waitedMs)];
  return `the longest lock call, over ${stalled}, took ${own} ms and ${waited} ms without a processor`;
}
