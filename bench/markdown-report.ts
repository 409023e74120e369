import type { BenchResult } from './bench-result';
import { type HandOverRow, toFigures } from './handover/hand-over-run';
import type { Machine } from './machine';
import { METRICS } from './metrics';
import { toDigits, toIntervalText, withUnit } from './number-text';
import type { Ratio } from './ratios';
import type { CommandCount } from './redis-commands';
import type { SoakResult } from './soak';

const PERCENT = 100;

/** The measures of the benchmark, in the order of the report. */
const PART_TITLES: Readonly<Record<string, string>> = {
  refused: 'TryLock of a lock that is held, at full speed',
  pairs: 'TryLock and Unlock of unique resources, at full speed',
  open: 'TryLock and Unlock of unique resources, at a rate that waits for no answer',
  memory: "Memory, beside a bare server's at rest",
  start: 'From the spawn to the first answer',
  held: 'TryLock and Unlock while other locks are held',
  handover: 'From the answer to a release to the answer of the next holder',
};

/** The whole result as Markdown tables. */
export function toMarkdown(result: BenchResult): string {
  const parts = Object.entries(PART_TITLES).flatMap(([part, title]) => {
    const ratios = result.ratios.filter(({ measure }) => measure.startsWith(`${part}/`));
    return ratios.length === 0 ? [] : [`## ${title}\n\n${toRatioTable(ratios)}`];
  });
  const sections = [
    `# Benchmark\n\n${toMachineText(result)}`,
    toAimSection(result.ratios),
    ...parts,
    toHandOverSection(result.handOvers),
    toCommandSection(result.commands),
    result.soak === undefined ? '' : toSoakSection(result.soak),
    toFailureSection(result),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function toMachineText({ date, revision, machine, options }: BenchResult): string {
  return `Measured ${date.slice(0, 10)} at revision ${revision}, ${options.rounds} rounds of ${options.seconds} s, on ${machineLine(machine)}.

A ratio is that of a round, told as the median of the rounds with the interval that holds the true median, and the
chance that it does. Absolute figures are the medians on this machine, which also ran the load: they say nothing of
another one. An aim that lies inside its interval is undecided.`;
}

/** A machine in one line. */
export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryGb, kernel, node, redis, h2load, vegeta } = machine;
  return `${cpu} (${cores} cores, ${memoryGb} GB), Linux ${kernel}, Node ${node.join(', ')}, Redis ${redis}, h2load ${h2load}, vegeta ${vegeta}`;
}

function toAimSection(ratios: readonly Ratio[]): string {
  const rows = ratios.flatMap(({ aim, ...ratio }) => {
    if (aim === undefined) return [];
    const what = `${ratio.measure}: ${METRICS[ratio.metric].title}, ${ratio.of} / ${ratio.to}`;
    return [
      [
        what,
        toDigits(ratio.interval.median),
        toIntervalText(ratio.interval),
        toDigits(aim.most),
        aim.verdict,
      ],
    ];
  });
  if (rows.length === 0) return '';
  return `## Aims\n\n${toTable(['aim', 'ratio', 'interval', 'at most', ''], rows)}`;
}

function toRatioTable(ratios: readonly Ratio[]): string {
  const rows = ratios.map(({ measure, metric, of, to, interval, absolute }) => [
    measure,
    METRICS[metric].title,
    `${of} / ${to}`,
    toDigits(interval.median),
    toIntervalText(interval),
    withUnit(absolute.of, metric),
    withUnit(absolute.to, metric),
  ]);
  return toTable(['measure', 'of', 'beside', 'ratio', 'interval', 'the first', 'the second'], rows);
}

function toHandOverSection(rows: readonly HandOverRow[]): string {
  const lines = rows
    .filter(({ timesMs }) => timesMs.length > 0)
    .map((row) => {
      const { medianMs, p99Ms } = toFigures(row);
      const name = row.transport === '' ? row.contender : `${row.contender}, ${row.transport}`;
      const figures = [row.timesMs.length, row.waiters].map(String);
      return [name, row.waitsBy, ...figures, toDigits(medianMs), toDigits(p99Ms)];
    });
  if (lines.length === 0) return '';
  const head = ['who', 'waits by', 'hand-overs', 'waiters', 'median in ms', 'p99 in ms'];
  return `## Hand-overs\n\n${toTable(head, lines)}`;
}

function toCommandSection(counts: readonly CommandCount[]): string {
  if (counts.length === 0) return '';
  const rows = counts.map(({ target, call, sent, run }) => {
    const inside = Object.entries(run).map(([name, each]): [string, number] => [
      name,
      each - (sent[name] ?? 0),
    ]);
    return [target, call, toCounts(Object.entries(sent)), toCounts(inside)];
  });
  const head = ['sidecar', 'call', 'sent to Redis, a call', 'called by scripts, a call'];
  return `## Commands that Redis sees\n\n${toTable(head, rows)}`;
}

function toCounts(counts: readonly (readonly [string, number])[]): string {
  return counts
    .filter(([, each]) => each > 0)
    .map(([name, each]) => `${toDigits(each)} ${name}`)
    .join(', ');
}

function toSoakSection({ target, minutes, samples, growth }: SoakResult): string {
  const [first, last] = [samples.at(0)?.rssMb ?? NaN, samples.at(-1)?.rssMb ?? NaN];
  return `## Memory over ${minutes} minutes of load

${target}: ${toDigits(first)} MB at first, ${toDigits(last)} MB at the end; from the second fifth of the time to the last
one the median changed by ${(growth * PERCENT).toFixed(1)} %.`;
}

function toFailureSection({ failures }: BenchResult): string {
  if (failures.length === 0) return '';
  const lines = failures.map(({ measure, message }) => `- ${measure}: ${message}`);
  return `## Failed\n\n${lines.join('\n')}`;
}

/** A Markdown table; the cells are texts without a pipe. */
export function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
