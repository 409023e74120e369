import { parseArgs } from 'node:util';

/** What `npm run bench:waiters` measures. */
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

/** Reads the command line; throws with a sentence at what it can't. */
export function parseWaitersOptions(args: readonly string[]): WaitersOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: PARTS.join(',') },
      count: { type: 'string' },
      seconds: { type: 'string' },
      smoke: { type: 'boolean', default: false },
    },
  });
  const preset = values.smoke ? SMOKE : FULL;
  return {
    parts: values.only.split(',').map(toPart),
    count: toWhole('count', values.count) ?? preset.count,
    watchSeconds: toWhole('seconds', values.seconds) ?? preset.watchSeconds,
    leaseSeconds: preset.leaseSeconds,
  };
}

function toPart(word: string): Part {
  const part = PARTS.find((each) => each === word);
  if (part === undefined) throw new Error(`--only: ${word} is not one of ${PARTS.join(', ')}`);
  return part;
}

function toWhole(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${flag}: ${text} is not a whole number above 0`);
}
