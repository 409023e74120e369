import type { BenchOptions } from './bench-options';
import type { HandOverRow } from './handover/hand-over-run';
import type { Machine } from './machine';
import type { MeasureResult } from './measure';
import type { Ratio } from './ratios';
import type { CommandCount } from './redis-commands';
import type { SoakResult } from './soak';

/** A measure that could not be finished, and why: a call failed, or an answer was wrong. */
export interface Failure {
  readonly measure: string;
  readonly message: string;
}

/** All that a run found out: the content of results.json. */
export interface BenchResult {
  /** When the run began, ISO 8601. */
  readonly date: string;
  /** The revision that was measured, with a plus where files were changed. */
  readonly revision: string;
  readonly machine: Machine;
  readonly options: BenchOptions;
  readonly measures: readonly MeasureResult[];
  readonly ratios: readonly Ratio[];
  readonly commands: readonly CommandCount[];
  readonly handOvers: readonly HandOverRow[];
  readonly soak: SoakResult | undefined;
  readonly failures: readonly Failure[];
}
