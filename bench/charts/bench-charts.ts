import type { BenchResult } from '../bench-result';
import { type HandOverRow, toFigures } from '../handover/hand-over-run';
import { machineLine } from '../markdown-report';
import { METRICS } from '../metrics';
import { toDigits } from '../number-text';
import type { Ratio } from '../ratios';
import { median } from '../statistics';
import type { Chart, ChartPoint, Colour } from './chart';

/** The metrics that the chart of ratios shows: one ratio is one row, and more rows nobody reads. */
const SHOWN = ['cpuUs', 'p99Ms', 'rssIdleMb', 'rssLoadedMb', 'startHttpMs', 'startGrpcMs'];

const SERIES = [
  ['met', 'aim met', 'green'],
  ['missed', 'aim missed', 'red'],
  ['undecided', 'undecided', 'amber'],
  ['none', 'no aim', 'blue'],
] as const;

const COLOURS_OF_SERIES: readonly Colour[] = ['blue', 'amber', 'violet', 'green', 'red'];

/** A ratio with its interval, as a chart shows it. */
export interface ShownRatio {
  readonly label: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly most?: number;
  readonly verdict: (typeof SERIES)[number][0];
}

/** Several figures of each row, from the least to the greatest. */
export interface ShownRow {
  readonly label: string;
  /** By series: the figure, and the end of its line where it has one. */
  readonly figures: readonly { readonly at: number; readonly to?: number }[];
}

/** The measurements, and their machine. */
interface About {
  readonly title: string;
  readonly notes: readonly string[];
  readonly series: readonly string[];
}

/** All charts of a result that it has figures for, by the name of their file. */
export function toBenchCharts(result: BenchResult): ReadonlyMap<string, Chart> {
  const where = `${result.date.slice(0, 10)}, ${machineLine(result.machine)}`;
  const ratios = result.ratios.filter(({ metric }) => SHOWN.includes(metric));
  const charts: readonly (readonly [string, Chart])[] = [
    ['results.svg', toRatioChart(ratios.map(toShownRatio), where)],
    ['hand-over.svg', toHandOverChart(result.handOvers, where)],
    ['latency.svg', toLatencyChart(toLatencyRows(result), [where])],
  ];
  return new Map(charts.filter(([, { rows }]) => rows.length > 0));
}

/** A row for each ratio: its median on its interval, and its aim as a stroke. Half and twice as much are equally far from 1. */
export function toRatioChart(ratios: readonly ShownRatio[], where: string): Chart {
  const points = ratios.map(({ median: at, low: from, high: to, most }, row): ChartPoint => {
    return { row, at, from, to, ...(most === undefined ? {} : { bound: most }) };
  });
  return {
    title: 'Holdfast beside a bare server or a peer: ratio of a round',
    notes: [where, 'Median and interval. Left of 1 is less than the other. A stroke is an aim.'],
    axis: 'ratio',
    logBase: 2,
    rows: ratios.map(({ label }) => label),
    values: ratios.map((ratio) => toDigits(ratio.median)),
    isSpread: false,
    series: SERIES.map(([verdict, name, colour]) => ({
      name,
      colour,
      points: points.filter(({ row }) => ratios[row]?.verdict === verdict),
    })).filter(({ points: some }) => some.length > 0),
  };
}

/** A row for each kind of client, a series for each number of waiters: the median, with a line to the p99. */
export function toHandOverChart(all: readonly HandOverRow[], where: string): Chart {
  const waiters = [...new Set(all.map((row) => row.waiters))].sort((one, other) => one - other);
  const labelOf = ({ contender, transport, waitsBy }: HandOverRow) =>
    [contender, transport, waitsBy].filter((word) => word !== '').join(' · ');
  const rows = [...new Set(all.map(labelOf))].map((label): ShownRow => {
    const figures = waiters.map((count) => {
      const row = all.find((each) => each.waiters === count && labelOf(each) === label);
      const { medianMs, p99Ms } =
        row === undefined ? { medianMs: NaN, p99Ms: NaN } : toFigures(row);
      return { at: medianMs, to: p99Ms };
    });
    return { label, figures };
  });
  return toHandOverRows(rows, waiters, where);
}

/** The same of figures that are known already. */
export function toHandOverRows(
  rows: readonly ShownRow[],
  waiters: readonly number[],
  where: string,
): Chart {
  const series = waiters.map((count) => `${count} ${count === 1 ? 'waiter' : 'waiters'}`);
  const notes = [where, 'A point is the median, its line ends at the p99.'];
  const title = 'From the answer to a release to the answer of the next holder';
  return { ...toRowChart(rows, { title, notes, series }), isSpread: true };
}

/** A row for each server: p50, p99 and p99.9 of calls at a constant rate. */
export function toLatencyChart(rows: readonly ShownRow[], notes: readonly string[]): Chart {
  const title = 'Time of a lock call at 1,000 calls a second (open loop)';
  return toRowChart(rows, { title, notes, series: ['p50', 'p99', 'p99.9'] });
}

function toRowChart(rows: readonly ShownRow[], { title, notes, series }: About): Chart {
  return {
    title,
    notes,
    axis: 'milliseconds (logarithmic)',
    logBase: 10,
    rows: rows.map(({ label }) => label),
    values: [],
    isSpread: false,
    series: series.map((name, index) => ({
      name,
      colour: COLOURS_OF_SERIES[index % COLOURS_OF_SERIES.length] ?? 'blue',
      points: rows.map(({ figures }, row) => ({ row, at: NaN, ...figures[index] })),
    })),
  };
}

function toShownRatio({ measure, metric, of, to, interval, aim }: Ratio): ShownRatio {
  const label = `${measure} · ${METRICS[metric].title} · ${of} / ${to}`;
  if (aim === undefined) return { label, ...interval, verdict: 'none' };
  return { label, ...interval, ...aim };
}

function toLatencyRows({ measures }: BenchResult): readonly ShownRow[] {
  return measures
    .filter(({ name }) => name.startsWith('open/'))
    .flatMap(({ name, rounds }) =>
      Object.entries(rounds).map(([contestant, all]) => ({
        label: `${name.split('/').slice(1, 3).join(', ')} · ${contestant}`,
        figures: (['p50Ms', 'p99Ms', 'p999Ms'] as const).map((metric) => ({
          at: median(all.flatMap((round) => round[metric] ?? [])),
        })),
      })),
    );
}
