import type { FaultRunReport } from './fault-run';
import { FAULTS } from './injector';

const ANSWERS = [
  'acquired',
  'refused',
  'unlocked',
  'not_found',
  'held_by_other',
  'not-applied',
  'unknown',
] as const;

/** Shows a run as a Markdown table; `more` are rows that only one kind of run has. */
export function toTable(
  report: FaultRunReport,
  more: Readonly<Record<string, number>> = {},
): string {
  const { operations, faults, seconds, violations, serverEvents } = report;
  const count = (answer: string) => operations.filter((each) => each.answer === answer).length;
  const rows: readonly (readonly [string, string | number])[] = [
    ['operations', operations.length],
    ['seconds', seconds.toFixed(0)],
    ...ANSWERS.map((answer) => [`answered ${answer}`, count(answer)] as const),
    ...Object.entries(more),
    ['grants and deletions seen by MONITOR', serverEvents],
    ...Object.keys(FAULTS).map(
      (kind) => [`fault: ${kind}`, faults.filter((each) => each.kind === kind).length] as const,
    ),
    ['violations', violations.length],
  ];
  const lines = rows.map(([what, number]) => `| ${what} | ${number} |`);
  return `\n| what | how many |\n| --- | ---: |\n${lines.join('\n')}\n`;
}
