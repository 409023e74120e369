import type { Command } from 'commander';

import {
  countOption,
  createScript,
  ScriptUsageError,
  type ScriptValues,
} from '../../test/support/long-run/script-command';

/** The parts that `npm run bench:waiters` measures. */
export const PARTS = ['worst-scripts', 'one-lock', 'lock-each', 'holds'] as const;

/** A part of it, as `--only` names it. */
export type Part = (typeof PARTS)[number];

/** How much is measured. */
export interface WaitersOptions {
  readonly parts: readonly Part[];
  /** How many wait or hold at a time. A sidecar allows 10,000 of each. */
  readonly count: number;
  /** How long those who wait or hold are watched, in seconds. */
  readonly watchSeconds: number;
  /** The lease of a hold, in seconds. */
  readonly leaseSeconds: number;
}

/** The promised size: a hold is renewed several times while it is watched. */
const FULL = { count: 10_000, watchSeconds: 60, leaseSeconds: 30 };

/** Everything in seconds: proves that it works, and says nothing about size. */
const SMOKE = { count: 200, watchSeconds: 1, leaseSeconds: 2 };

/** The values of the command line. */
export interface WaitersValues extends ScriptValues {
  readonly only: string;
  readonly count?: number;
  readonly seconds?: number;
  readonly smoke?: true;
}

/** The command line of `npm run bench:waiters`. */
export function createWaitersCommand(): Command {
  const description = 'Thousands of waiting calls and of holds on one sidecar.';
  const example = '--only one-lock,holds --count 2000 --seconds 10';
  return createScript({ name: 'bench:waiters', description, example })
    .option('--only <list>', 'parts of it', PARTS.join(','))
    .addOption(countOption('--count <number>', `who wait or hold (default: ${FULL.count})`))
    .addOption(
      countOption(
        '--seconds <number>',
        `how long they are watched (default: ${FULL.watchSeconds})`,
      ),
    )
    .option('--smoke', 'everything in seconds: only shows that it works');
}

/** Reads the command line. Throws a sentence that says what can't be done. */
export function toWaitersOptions({ only, count, seconds, smoke }: WaitersValues): WaitersOptions {
  const preset = smoke ? SMOKE : FULL;
  return {
    parts: only.split(',').map(toPart),
    count: count ?? preset.count,
    watchSeconds: seconds ?? preset.watchSeconds,
    leaseSeconds: preset.leaseSeconds,
  };
}

function toPart(word: string): Part {
  const part = PARTS.find((each) => each === word);
  if (part === undefined)
    throw new ScriptUsageError(`--only: ${word} is not one of ${PARTS.join(', ')}`);
  return part;
}
