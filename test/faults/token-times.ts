import { firstIndex, type Operation } from './history';

/** A time in which a token was drawn. */
export interface DrawnSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** When tokens were drawn, on the clock of the history. */
export type TokenTimes = (token: number) => DrawnSpan;

/** Tokens in which the server's clock stands, in microseconds. */
export const clockTimes =
  (wallMs: number): TokenTimes =>
  (token) => {
    const atMs = token / 1000 - wallMs;
    return { fromMs: atMs, toMs: atMs };
  };

/**
 * Tokens from one counter for all locks, such as etcd's revision. A token was drawn after every grant with a lower one
 * was called, and before every grant with a higher one returned. With hundreds of grants a second, that is nearly
 * a clock. Where `fromMs` is later than `toMs`, the tokens contradict the order of the calls.
 */
export function counterTimes(operations: readonly Operation[]): TokenTimes {
  const grants = operations
    .filter(({ answer, token = 0 }) => answer === 'acquired' && token !== 0)
    .sort((one, other) => (one.token ?? 0) - (other.token ?? 0));
  const tokens = grants.map(({ token = 0 }) => token);
  const latestCalls: number[] = [];
  for (const { calledAtMs } of grants) {
    latestCalls.push(Math.max(calledAtMs, latestCalls.at(-1) ?? -Infinity));
  }
  const earliestReturns: number[] = [];
  for (const { returnedAtMs } of grants.toReversed()) {
    earliestReturns.push(Math.min(returnedAtMs, earliestReturns.at(-1) ?? Infinity));
  }
  earliestReturns.reverse();
  return (token) => {
    const from = firstIndex(tokens, (each) => each >= token);
    const after = firstIndex(tokens, (each) => each > token);
    return {
      fromMs: latestCalls[after - 1] ?? -Infinity,
      toMs: earliestReturns[from] ?? Infinity,
    };
  };
}
