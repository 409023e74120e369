import { median } from '../statistics';
import type { Caller } from './caller';

/** The cost of a passed call beside that of a direct one. */
export interface Ratio {
  readonly inFlight: number;
  /** Microseconds of wall time for each call. */
  readonly directUs: number;
  readonly passedUs: number;
  /** The median of the ratios of all rounds. */
  readonly ratio: number;
}

/** How it is measured. */
export interface RatioOptions {
  readonly direct: Caller;
  readonly passed: Caller;
  readonly rounds: number;
  /** Calls in each half of a round. */
  readonly calls: number;
}

/**
 * Measures both in turn, round by round, so that whatever else runs on the machine takes its share of
 * both.
 */
export async function measureRatio(options: RatioOptions, inFlight: number): Promise<Ratio> {
  const { direct, passed, rounds, calls } = options;
  for (const caller of [direct, passed]) await run(caller, { calls, inFlight });
  const pairs: { readonly directUs: number; readonly passedUs: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    pairs.push({
      directUs: await run(direct, { calls, inFlight }),
      passedUs: await run(passed, { calls, inFlight }),
    });
  }
  return {
    inFlight,
    directUs: median(pairs.map(({ directUs }) => directUs)),
    passedUs: median(pairs.map(({ passedUs }) => passedUs)),
    ratio: median(pairs.map(({ directUs, passedUs }) => passedUs / directUs)),
  };
}

async function run(
  caller: Caller,
  { calls, inFlight }: { readonly calls: number; readonly inFlight: number },
): Promise<number> {
  let left = calls;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const status = await caller.getState('k');
      if (status !== '0') throw new Error(`GetState ended with status ${status}`);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  return ((performance.now() - startedAt) * 1000) / calls;
}
