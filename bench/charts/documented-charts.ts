import {
  type ShownRatio,
  type ShownRow,
  toHandOverRows,
  toLatencyChart,
  toRatioChart,
} from './bench-charts';
import type { Chart } from './chart';
import { toFaultChart } from './fault-chart';
import { findTable, toNumbers } from './markdown-table';

/** The pages with figures. */
export interface FigurePages {
  /** docs/performance.md */
  readonly performance: string;
  /** docs/guarantees.md */
  readonly guarantees: string;
}

/**
 * The charts of the documentation, by file below docs/. They are made of the tables on its pages: the JSON of those runs
 * was not kept, and a chart can't say another number than the table beside it.
 */
export function toDocumentedCharts({
  performance,
  guarantees,
}: FigurePages): ReadonlyMap<string, Chart> {
  const note = 'A run of test:faults before the native API.';
  return new Map([
    ['performance.svg', toAimChart(performance)],
    ['images/hand-over.svg', toDocumentedHandOvers(performance)],
    ['images/latency.svg', toDocumentedLatency(performance)],
    ['images/faults.svg', toFaultChart(guarantees, note)],
  ]);
}

/** Cells such as `1.69 (1.02–2.00), undecided`, by Node. */
function toAimChart(page: string): Chart {
  const [[, , ...nodes] = [], ...rows] = findTable(page, ['aim, on `lock.redis`', 'at most']);
  const ratios = rows.flatMap(([aim = '', most, ...cells]) =>
    cells.map((cell, index): ShownRatio => {
      const [median = NaN, low = NaN, high = NaN] = toNumbers(cell);
      const label = `${aim.replaceAll('`', '')}, ${nodes[index] ?? ''}`;
      return { label, median, low, high, most: Number(most), verdict: toVerdict(cell) };
    }),
  );
  return toRatioChart(ratios, '2026-11-25, 8 rounds, 2 cores that also ran the load');
}

function toVerdict(cell: string): ShownRatio['verdict'] {
  const found = (['met', 'missed', 'undecided'] as const).find((word) => cell.endsWith(word));
  if (found === undefined) throw new Error(`${cell} has no verdict`);
  return found;
}

/** Cells such as `0.61 / 52`: the median and the p99, by the number of waiters. */
function toDocumentedHandOvers(page: string): Chart {
  const [[, , ...heads] = [], ...lines] = findTable(page, ['who', 'waits by']);
  let who = '';
  const rows = lines.map(([name = '', waitsBy = '', ...cells]): ShownRow => {
    who = name === 'the same' ? who : name;
    const figures = cells.map((cell) => {
      const [at = NaN, to = NaN] = toNumbers(cell);
      return { at, to };
    });
    return { label: `${who}: ${waitsBy}`, figures };
  });
  const waiters = heads.map((head) => toNumbers(head)[0] ?? NaN);
  return toHandOverRows(rows, waiters, '2026-11-26, 60 hand-overs, 2 cores with much other work');
}

const LATENCIES = ['p50', 'p99', 'p99.9'];

/** Cells such as `0.86 / 1.02 / 1.02`: daprd, Holdfast on Node 22, Holdfast on Node 26. */
function toDocumentedLatency(page: string): Chart {
  const [[, ...transports] = [], ...lines] = findTable(page, ['load', 'gRPC', 'HTTP']);
  const figures = LATENCIES.map(
    (name) => lines.find(([load]) => load === `1,000 a second, ${name} in ms`) ?? [],
  );
  const rows = transports.flatMap((transport, column) =>
    ['daprd', 'Holdfast, Node 22', 'Holdfast, Node 26'].map((server, place): ShownRow => {
      const at = (cells: readonly string[]) => toNumbers(cells[column + 1] ?? '')[place] ?? NaN;
      return {
        label: `${transport}: ${server}`,
        figures: figures.map((cells) => ({ at: at(cells) })),
      };
    }),
  );
  return toLatencyChart(rows, [
    '2026-11-26, daprd 1.18.3, both with lock.redis, on 2 cores that also ran the load',
  ]);
}
