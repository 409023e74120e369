import type * as Cel from '@bufbuild/cel';

import { toErrorMessage } from '../base/error-message';
import { type BreakerCounts, NO_COUNTS } from './policies';

/** An invalid trip expression. The message says why. */
export class TripExpressionError extends Error {
  override readonly name = 'TripExpressionError';
}

/** daprd's default (dapr/dapr pkg/resiliency). */
export const DEFAULT_TRIP = 'consecutiveFailures > 5';

/**
 * Counts for testing an expression. Different values reach both sides of its conditions, and so
 * reveal errors in each.
 */
const PROBES = [0, 1, 7, 1_000_000];

/** Errors that depend only on the counts. They do not trip the breaker. */
const ARITHMETIC = /(?:divide|modulus) by zero|overflow/;

/**
 * Compiles a `trip` expression (CEL over the counts of a breaker). If its arithmetic fails, such as
 * a division by zero requests, the breaker does not trip.
 *
 * @throws {TripExpressionError} if it can't be compiled, uses unknown names, or its result is not a
 *   boolean
 */
export function compileTrip(text: string): (counts: BreakerCounts) => boolean {
  if (text === DEFAULT_TRIP) return ({ consecutiveFailures }) => consecutiveFailures > 5;
  try {
    const { celEnv, isCelError, parse, plan } = loadCel();
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

/** Loaded only when needed: the library takes longer to load than all of our code. */
function loadCel(): typeof Cel {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- at its first use, and without a wait
  return require('@bufbuild/cel') as typeof Cel;
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
