import { METRICS, type Metric } from './metrics';
import type { MedianInterval } from './statistics';

const SIGNIFICANT = 3;
const PERCENT = 100;

/** A number with three significant digits and no exponent. */
export function toDigits(number: number): string {
  if (!Number.isFinite(number)) return '–';
  const rounded = Number(number.toPrecision(SIGNIFICANT));
  const decimals = Math.max(0, SIGNIFICANT - 1 - Math.floor(Math.log10(Math.abs(rounded) || 1)));
  return rounded.toFixed(decimals);
}

/** A number with its metric's unit. */
export function withUnit(number: number, metric: Metric): string {
  return `${toDigits(number)} ${METRICS[metric].unit}`;
}

/** An interval, and how sure it is where that is less than it should be. */
export function toIntervalText({ low, high, coverage }: MedianInterval): string {
  return `${toDigits(low)} to ${toDigits(high)} (${(coverage * PERCENT).toFixed(0)} %)`;
}
