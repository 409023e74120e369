import type { Metrics } from './metrics';

/** One of those that are measured beside each other. */
export interface Contestant {
  readonly name: string;
  /** Runs once and tells what it gave; rejects where a call failed or an answer was wrong. */
  run(): Promise<Metrics>;
  /** Prepares and warms up, once before the first round. */
  prepare?(): Promise<void>;
}

/** Whose ratio is told: `of` divided by `to`. */
export interface Pair {
  readonly of: string;
  readonly to: string;
}

/** Something that is measured, on all contestants in turn. */
export interface Measure {
  /** Words from the general to the special, joined by slashes: `refused/grpc/redis/100`. */
  readonly name: string;
  readonly contestants: readonly Contestant[];
  readonly pairs: readonly Pair[];
}

/** The results of a measure: by contestant, one entry a round. */
export interface MeasureResult {
  readonly name: string;
  readonly pairs: readonly Pair[];
  readonly rounds: Readonly<Record<string, readonly Metrics[]>>;
}

/**
 * Runs a measure's rounds. Contestants take turns within a round, and another one begins each round:
 * what changes slowly (heat, neighbours on the machine) meets them alike and leaves the ratio alone.
 */
export async function runRounds(
  measure: Measure,
  rounds: number,
  onRound: (done: number) => void = () => undefined,
): Promise<MeasureResult> {
  const { contestants, name, pairs } = measure;
  const results: Record<string, Metrics[]> = {};
  for (const contestant of contestants) await contestant.prepare?.();
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < contestants.length; turn += 1) {
      const contestant = contestants[(round + turn) % contestants.length];
      if (contestant !== undefined) {
        (results[contestant.name] ??= []).push(await contestant.run());
      }
    }
    onRound(round + 1);
  }
  return { name, pairs, rounds: results };
}
