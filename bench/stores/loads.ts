import { randomUUID } from 'node:crypto';

import { median } from '../statistics';
import type { Caller } from '../upstream/caller';

/** How much is measured. */
export interface LoadSize {
  readonly rounds: number;
  /** Locks that are taken and released one after another. */
  readonly oneByOne: number;
  /** Locks that are taken and released with {@link IN_FLIGHT} at a time. */
  readonly atOnce: number;
}

/** How many locks are taken or released at a time. */
const IN_FLIGHT = 100;

/** Takes and releases locks, one after another. Resolves with the median time of a grant, in milliseconds. */
export async function runOneByOne(caller: Caller, count: number): Promise<number> {
  const name = randomUUID();
  const timesMs: number[] = [];
  for (let at = 0; at < count; at += 1) timesMs.push(await caller.lock(`${name}-${at}`));
  return median(timesMs);
}

/** Takes and releases locks, many at a time. Resolves with the seconds that all took. */
export async function runAtOnce(caller: Caller, count: number): Promise<number> {
  const name = randomUUID();
  let begun = 0;
  const work = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      await caller.lock(`${name}-${begun}`);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  return (performance.now() - startedAt) / 1000;
}
