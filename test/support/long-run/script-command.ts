import { Command, InvalidArgumentError, Option } from 'commander';

/** The exit code for a command line that can't be carried out: EX_USAGE of BSD's sysexits.h, as the commands of Holdfast. */
export const EXIT_USAGE = 64;

/** A command line that can't be carried out. The message says what is allowed. */
export class ScriptUsageError extends Error {
  override readonly name = 'ScriptUsageError';
}

/** The description of a script. */
export interface ScriptDescription {
  /** Its name in package.json, such as `test:faults`. */
  readonly name: string;
  readonly description: string;
  /** The arguments after `npm run NAME -- ` in a useful call. */
  readonly example: string;
}

/** The options of every script. */
export interface ScriptValues {
  readonly quiet?: boolean;
  /** The folder of the report. */
  readonly out: string;
}

/**
 * Begins the command line of a long script of npm: it has `--help`, with every default and an example, `--quiet` and
 * `--out`, and refuses what it does not know. commander is the library of the shipped commands too.
 */
export function createScript({ name, description, example }: ScriptDescription): Command {
  const folder = `reports/${name.replace(':', '-')}`;
  return new Command(`npm run ${name} --`)
    .description(description)
    .usage('[options]')
    .helpOption('--help', 'show this')
    .option('--quiet', 'show no progress')
    .addOption(new Option('--out <folder>', 'where the report is written').default(folder))
    .addHelpText('after', `\nExample:\n  npm run ${name} -- ${example}`)
    .allowExcessArguments(false)
    .exitOverride();
}

/** Collects the values of an option that can be repeated. */
export function oneMore(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** An option that takes a whole number of at least 1, or of at least `least`. */
export function countOption(flags: string, description: string, least = 1): Option {
  return new Option(flags, description).argParser((text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (number >= least) return number;
    throw new InvalidArgumentError(`A whole number of at least ${least} is allowed.`);
  });
}

/** The seed of a run. Without one, each run draws another. */
export function seedOption(): Option {
  return countOption('--seed <number>', 'repeats a schedule (default: drawn anew)', 0);
}

/** A seed for a run that was given none: up to six digits, which a person can type. */
export function drawSeed(): number {
  return Date.now() % 1_000_000;
}
