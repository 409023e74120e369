import type { BenchResult } from './bench-result';
import { differencesBetween, type Machine } from './machine';
import { toTable } from './markdown-report';
import { METRICS } from './metrics';
import { toDigits, toIntervalText } from './number-text';
import type { Ratio } from './ratios';
import { LEAST_COVERAGE } from './statistics';

/** Throws where an earlier run's figures can't be held against this machine's. */
export function assertComparable(earlier: Machine, now: Machine): void {
  const differences = differencesBetween(earlier, now);
  if (differences.length === 0) return;
  throw new Error(
    `the earlier run can't be compared with this one, they differ in: ${differences.join('; ')}`,
  );
}

/**
 * Compares with an earlier run on the same machine: a ratio has changed where both runs had
 * rounds enough for an interval, and the two don't touch.
 */
export function toComparison(earlier: BenchResult, now: BenchResult): string {
  assertComparable(earlier.machine, now.machine);
  const rows = now.ratios.flatMap((ratio) => {
    const before = earlier.ratios.find((each) => keyOf(each) === keyOf(ratio));
    return before === undefined ? [] : [toRow(before, ratio)];
  });
  const head = ['measure', 'of', 'beside', 'before', 'interval', 'now', 'interval', ''];
  return `## Since ${earlier.date.slice(0, 10)}, revision ${earlier.revision}\n\n${toTable(head, rows)}\n`;
}

function toRow(before: Ratio, now: Ratio): readonly string[] {
  const sure = [before, now].every(({ interval }) => interval.coverage >= LEAST_COVERAGE);
  const apart = now.interval.low > before.interval.high || now.interval.high < before.interval.low;
  return [
    now.measure,
    METRICS[now.metric].title,
    `${now.of} / ${now.to}`,
    toDigits(before.interval.median),
    toIntervalText(before.interval),
    toDigits(now.interval.median),
    toIntervalText(now.interval),
    sure && apart ? 'changed' : '',
  ];
}

function keyOf({ measure, metric, of, to }: Ratio): string {
  return [measure, metric, of, to].join(' ');
}
