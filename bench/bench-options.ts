import { type Command, Option } from 'commander';

import {
  createScript,
  oneMore,
  ScriptUsageError,
  type ScriptValues,
} from '../test/support/long-run/script-command';
import type { Transport } from './lock-requests';
import { parseTarget, type TargetSpec } from './target-spec';

/** A part of the benchmark, as `--only` names it. */
export const SECTIONS = [
  'refused',
  'pairs',
  'open',
  'memory',
  'start',
  'held',
  'redis',
  'handover',
] as const;

/** A part of the benchmark. */
export type Section = (typeof SECTIONS)[number];

/** Where locks are kept. */
export type Store = 'memory' | 'redis';

/** The parts to measure, and for how long. */
export interface BenchOptions {
  readonly targets: readonly TargetSpec[];
  /** Paths or major versions; the running Node where there is none. */
  readonly nodes: readonly string[];
  readonly stores: readonly Store[];
  readonly transports: readonly Transport[];
  readonly sections: readonly Section[];
  readonly rounds: number;
  /** How long one run of load takes, about. */
  readonly seconds: number;
  /** How long a run at a fixed rate takes: its p99.9 needs thousands of calls. */
  readonly openSeconds: number;
  /** How often a load is run before it counts: the first time finds its pace. */
  readonly warmUpRuns: number;
  /** How long a server that is measured at rest is left alone. */
  readonly settleSeconds: number;
  readonly inFlight: readonly number[];
  /** How many locks are held while the cost of a call is measured. */
  readonly held: readonly number[];
  /** How many wait for a lock that is handed on. */
  readonly waiters: readonly number[];
  /** How often it is handed on in a round. */
  readonly handOvers: number;
  /** Minutes of load under which memory is watched; 0 for none. */
  readonly soakMinutes: number;
  readonly profile: boolean;
  /** The folder of the report. */
  readonly out: string;
  /** A result of an earlier run to be held against. */
  readonly compare: string | undefined;
}

/** The whole of it: more than an hour for one Node. */
const FULL = {
  rounds: 9,
  seconds: 2,
  openSeconds: 10,
  warmUpRuns: 2,
  settleSeconds: 2,
  inFlight: [1, 10, 100, 500],
  held: [1, 10_000, 1_000_000],
  waiters: [1, 10, 100],
  handOvers: 20,
};

/** Everything once, in seconds: proves that it works, and says nothing about speed. */
const SMOKE = {
  rounds: 1,
  seconds: 0.1,
  openSeconds: 0.5,
  warmUpRuns: 1,
  settleSeconds: 0.1,
  inFlight: [100],
  held: [1, 500],
  waiters: [1, 10],
  handOvers: 3,
};

/** The command line, as texts. */
export interface BenchValues extends ScriptValues {
  readonly target?: readonly string[];
  readonly node?: readonly string[];
  readonly stores: string;
  readonly transports: string;
  readonly only: string;
  readonly rounds?: string;
  readonly seconds?: string;
  readonly inFlight?: string;
  readonly held?: string;
  readonly waiters?: string;
  readonly handOvers?: string;
  readonly soak: string;
  readonly compare?: string;
  readonly smoke?: true;
  readonly profile?: true;
}

/** The command line of `npm run bench`. */
export function createBenchCommand(): Command {
  const description =
    'What a lock call costs on our sidecar, beside the least that its libraries cost and beside other sidecars. Takes more than an hour.';
  const example = '--only refused,open --stores redis --rounds 6 --node 22';
  return createScript({ name: 'bench', description, example })
    .addOption(
      new Option(
        '--target <target>',
        'ours, floors, or name=daprd,http=3500,grpc=50001,pid=N; can be repeated',
      )
        .default(undefined, 'ours and floors')
        .argParser(oneMore),
    )
    .addOption(
      new Option('--node <version>', 'path, major version, or image; can be repeated')
        .default(undefined, 'this Node')
        .argParser(oneMore),
    )
    .option('--stores <list>', 'where locks are kept', 'memory,redis')
    .option('--transports <list>', 'how calls arrive', 'grpc,http')
    .option('--only <list>', 'parts of the benchmark', SECTIONS.join(','))
    .option('--rounds <number>', `how often each is measured (default: ${FULL.rounds})`)
    .option('--seconds <number>', `how long a load takes (default: ${FULL.seconds})`)
    .option('--in-flight <list>', `calls at a time (default: ${FULL.inFlight.join()})`)
    .option('--held <list>', `locks that are held (default: ${FULL.held.join()})`)
    .option('--waiters <list>', `who wait for a lock (default: ${FULL.waiters.join()})`)
    .option('--hand-overs <number>', `how often it is handed on (default: ${FULL.handOvers})`)
    .option('--soak <minutes>', 'also load for so long, to see whether memory grows', '0')
    .option('--compare <file>', 'also the changes since that results.json')
    .option('--smoke', 'everything once, in seconds: only shows that it works')
    .option('--profile', 'no measurement; shows where a call spends its time');
}

/** Reads the command line of `npm run bench`; throws with a sentence at what it can't. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  return toBenchOptions(
    createBenchCommand()
      .parse([...args], { from: 'user' })
      .opts(),
  );
}

/** Reads the values of the command line. Throws a sentence that says what can't be done. */
export function toBenchOptions(values: BenchValues): BenchOptions {
  const preset = values.smoke ? SMOKE : FULL;
  return {
    targets: parseTargets(values.target ?? ['ours', 'floors']),
    nodes: values.node ?? [],
    stores: toChoices('stores', values.stores, ['memory', 'redis']),
    transports: toChoices('transports', values.transports, ['grpc', 'http']),
    sections: toChoices('only', values.only, SECTIONS),
    rounds: toWhole('rounds', values.rounds) ?? preset.rounds,
    seconds: toPositive('seconds', values.seconds) ?? preset.seconds,
    openSeconds: preset.openSeconds,
    warmUpRuns: preset.warmUpRuns,
    settleSeconds: preset.settleSeconds,
    inFlight: toWholes('in-flight', values.inFlight) ?? preset.inFlight,
    held: toWholes('held', values.held) ?? preset.held,
    waiters: toWholes('waiters', values.waiters) ?? preset.waiters,
    handOvers: toWhole('hand-overs', values.handOvers) ?? preset.handOvers,
    soakMinutes: toMinutes(values.soak),
    profile: values.profile === true,
    out: values.out,
    compare: values.compare,
  };
}

function toMinutes(soak: string): number {
  return soak === '0' ? 0 : (toPositive('soak', soak) ?? 0);
}

function parseTargets(texts: readonly string[]): readonly TargetSpec[] {
  const targets = texts.map(parseTarget);
  const names = targets.map((target) => (target.kind === 'peer' ? target.name : target.kind));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ScriptUsageError(`--target: ${twice} is named twice`);
  if (names.includes('ours')) return targets;
  throw new ScriptUsageError(
    '--target: ours is missing; what is told is how it does beside the others',
  );
}

function toChoices<T extends string>(flag: string, text: string, allowed: readonly T[]): T[] {
  return text.split(',').map((word) => {
    const choice = allowed.find((each) => each === word);
    if (choice === undefined)
      throw new ScriptUsageError(`--${flag}: ${word} is not of ${allowed.join(', ')}`);
    return choice;
  });
}

function toWholes(flag: string, text: string | undefined): readonly number[] | undefined {
  return text?.split(',').map((word) => toWhole(flag, word) ?? 0);
}

function toWhole(flag: string, text: string | undefined): number | undefined {
  const number = toPositive(flag, text);
  if (number === undefined || Number.isInteger(number)) return number;
  throw new ScriptUsageError(`--${flag}: ${text ?? ''} is no whole number`);
}

function toPositive(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new ScriptUsageError(`--${flag}: ${text} is no number above 0`);
}
