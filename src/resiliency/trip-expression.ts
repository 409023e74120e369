import { createRequire } from 'node:module';

import type * as Cel from '@bufbuild/cel';

import { toErrorMessage } from '../base/error-message';
import { type BreakerCounts, NO_COUNTS } from './policies';

const load = createRequire(__filename);

/** A trip expression that is none; the message says why. */
export class TripExpressionError extends Error {
  override readonly name = 'TripExpressionError';
}

/** daprd's default (dapr/dapr pkg/resiliency). */
export const DEFAULT_TRIP = 'consecutiveFailures > 5';

/** Counts that an expression is tried on: either side of its conditions shows what is wrong with it. */
const PROBES = [0, 1, 7, 1_000_000];

/** What depends on the counts alone: a breaker does not trip on those. */
const ARITHMETIC = /(?:divide|modulus) by zero|overflow/;

/**
 * Compiles a `trip` expression (CEL over the counts of a breaker). Where its arithmetic fails, as a
 * division by no requests yet does, the breaker does not trip.
 *
 * @throws {TripExpressionError} where it can't be compiled, names what there is not or does not come
 *   out as true or false
 */
export function compileTrip(text: string): (counts: BreakerCounts) => boolean {
  if (text === DEFAULT_TRIP) return ({ consecutiveFailures }) => consecutiveFailures > 5;
  try {
    // Only now: the library takes longer to load than all of ours.
    const { celEnv, isCelError, parse, plan } = load('@bufbuild/cel') as typeof Cel;
    const evaluate: (bindings: Record<string, bigint>) => unknown = plan(celEnv(), parse(text));
    const run = (counts: BreakerCounts): unknown => evaluate(toBindings(counts));
    for (const count of PROBES) {
      const outcome = run(countsAllEqualTo(count));
      if (isCelError(outcome)) assertArithmetic(toErrorMessage(outcome));
      else if (typeof outcome !== 'boolean')
        throw new Error('its result is neither true nor false');
    }
    return (counts) => run(counts) === true;
  } catch (cause) {
    const [reason = ''] = toErrorMessage(cause).split('\n');
    throw new TripExpressionError(
      `invalid trip expression "${text}": ${reason} (allowed: CEL over ${Object.keys(NO_COUNTS).join(', ')})`,
      { cause },
    );
  }
}

function assertArithmetic(problem: string): void {
  if (!ARITHMETIC.test(problem)) throw new Error(problem);
}

function countsAllEqualTo(count: number): BreakerCounts {
  const names = Object.keys(NO_COUNTS) as (keyof BreakerCounts)[];
  return Object.fromEntries(names.map((name) => [name, count])) as Record<
    keyof BreakerCounts,
    number
  >;
}

/** CEL's integers are bigints. */
function toBindings(counts: BreakerCounts): Record<string, bigint> {
  const entries = Object.entries(counts) as [string, number][];
  return Object.fromEntries(entries.map(([name, count]) => [name, BigInt(count)]));
}
