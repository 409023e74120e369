import { createRequire } from 'node:module';

import type * as Cel from '@bufbuild/cel';

import { toErrorMessage } from '../lock/error-message';
import { type BreakerCounts, NO_COUNTS } from './policies';

const load = createRequire(__filename);

/** A trip expression that is none; the message says why. */
export class TripExpressionError extends Error {
  override readonly name = 'TripExpressionError';
}

/** daprd's default (dapr/dapr pkg/resiliency). */
export const DEFAULT_TRIP = 'consecutiveFailures > 5';

/**
 * Compiles a `trip` expression (CEL over the counts of a breaker).
 *
 * @throws {TripExpressionError} where it can't be compiled or does not come out as true or false
 */
export function compileTrip(text: string): (counts: BreakerCounts) => boolean {
  if (text === DEFAULT_TRIP) return ({ consecutiveFailures }) => consecutiveFailures > 5;
  try {
    // Only now: the library takes longer to load than all of ours.
    const { celEnv, isCelError, parse, plan } = load('@bufbuild/cel') as typeof Cel;
    const evaluate: (bindings: Record<string, bigint>) => unknown = plan(celEnv(), parse(text));
    const run = (counts: BreakerCounts): unknown => evaluate(toBindings(counts));
    const outcome = run(NO_COUNTS);
    if (isCelError(outcome)) throw new Error(toErrorMessage(outcome));
    if (typeof outcome !== 'boolean') throw new Error('it does not come out as true or false');
    return (counts) => run(counts) === true;
  } catch (cause) {
    const [reason = ''] = toErrorMessage(cause).split('\n');
    throw new TripExpressionError(
      `invalid trip expression "${text}": ${reason} (allowed: CEL over ${Object.keys(NO_COUNTS).join(', ')})`,
      { cause },
    );
  }
}

/** CEL's integers are bigints. */
function toBindings(counts: BreakerCounts): Record<string, bigint> {
  const entries = Object.entries(counts) as [string, number][];
  return Object.fromEntries(entries.map(([name, count]) => [name, BigInt(count)]));
}
