import { findAim, judge, type Verdict } from './aims';
import type { MeasureResult, Pair } from './measure';
import { METRIC_NAMES, type Metric } from './metrics';
import { median, medianInterval, type MedianInterval } from './statistics';

/** How one contestant does beside another, by one metric. */
export interface Ratio {
  readonly measure: string;
  readonly metric: Metric;
  readonly of: string;
  readonly to: string;
  /** The medians of both, in the metric's unit: this machine's, for orientation only. */
  readonly absolute: { readonly of: number; readonly to: number };
  /** One a round, in order. */
  readonly perRound: readonly number[];
  readonly interval: MedianInterval;
  readonly aim: { readonly most: number; readonly verdict: Verdict } | undefined;
}

/** All ratios of a measure: each pair by each metric that both have. */
export function toRatios(result: MeasureResult): readonly Ratio[] {
  return result.pairs.flatMap((pair) =>
    METRIC_NAMES.flatMap((metric) => toRatio(result, pair, metric) ?? []),
  );
}

function toRatio(result: MeasureResult, pair: Pair, metric: Metric): Ratio | undefined {
  const valuesOf = (contestant: string) =>
    (result.rounds[contestant] ?? []).flatMap((round) => round[metric] ?? []);
  const [of, to] = [valuesOf(pair.of), valuesOf(pair.to)];
  if (of.length === 0 || of.length !== to.length) return undefined;
  const perRound = of.map((value, round) => value / (to[round] ?? NaN));
  const interval = medianInterval(perRound);
  const names = { measure: result.name, metric, numerator: pair.of, denominator: pair.to };
  const most = findAim(names)?.most;
  return {
    measure: result.name,
    metric,
    ...pair,
    absolute: { of: median(of), to: median(to) },
    perRound,
    interval,
    aim: most === undefined ? undefined : { most, verdict: judge(most, interval) },
  };
}
