import { InvalidArgumentError } from 'commander';

import { MetadataValueError, parseGoDuration } from '../go/go-values';

/** The bounds of a duration, in milliseconds. */
interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** The leases and waits that the API allows (docs/native-api.md). */
export const TTL_BOUNDS: Bounds = { least: 10, most: 2 ** 31 - 1 };
export const WAIT_BOUNDS: Bounds = { least: 0, most: 24 * 60 * 60 * 1000 };

/** Reads a duration such as 500ms, 30s or 1h30m, within bounds; returns whole milliseconds. */
export function durationWithin({ least, most }: Bounds): (text: string) => number {
  return (text) => {
    const ms = toMilliseconds(text);
    if (ms >= least && ms <= most) return Math.round(ms);
    throw new InvalidArgumentError(`${least}ms to ${most}ms is allowed.`);
  };
}

function toMilliseconds(text: string): number {
  try {
    return parseGoDuration(text);
  } catch (error) {
    if (!(error instanceof MetadataValueError)) throw error;
    throw new InvalidArgumentError('A duration such as 500ms, 30s or 1h30m is allowed.');
  }
}

/** Reads a whole number within bounds. */
export function numberWithin({ least, most }: Bounds): (text: string) => number {
  return (text) => {
    const number = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`A whole number from ${least} to ${most} is allowed.`);
  };
}

/** Reads a text that may not be empty. */
export function someText(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('It must not be empty.');
}

/** Collects the values of an option that may be repeated. */
export function oneMore(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
