import { parseArgs } from 'node:util';

import { findNearest } from '../base/nearest-name';
import { type FlagName, FLAGS, isFlagName } from './flags';

/** An invalid command line. The message uses pflag's words. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The flags of a command line. A flag that is not given has its default. */
export class FlagValues {
  readonly #given = new Map<FlagName, readonly string[]>();

  /** @param given every value of a flag, in the order of the command line */
  constructor(given: ReadonlyMap<FlagName, readonly string[]>) {
    this.#given = new Map(given);
  }

  /** The last value given, or the default. */
  text(name: FlagName): string {
    return this.#given.get(name)?.at(-1) ?? FLAGS[name].default;
  }

  /**
   * All values, with comma-separated ones split and empty ones left out. For a flag that can't be
   * repeated, only the last value.
   */
  list(name: FlagName): readonly string[] {
    const given = this.#given.get(name);
    const values = FLAGS[name].kind === 'list' && given !== undefined ? given : [this.text(name)];
    return values.flatMap((value) => value.split(',')).filter((value) => value !== '');
  }

  boolean(name: FlagName): boolean {
    return TRUE.includes(this.text(name));
  }

  integer(name: FlagName): number {
    return Number(this.text(name));
  }

  /** True if the command line contains the flag, with any value. */
  has(name: FlagName): boolean {
    return this.#given.has(name);
  }

  /** The flags that the command line contains. */
  get names(): readonly FlagName[] {
    return [...this.#given.keys()];
  }
}

/** Go's strconv.ParseBool. */
const TRUE: readonly string[] = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE: readonly string[] = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/**
 * Parses a command line in all of daprd's forms (pflag): `--f v`, `--f=v`, `-f v`, booleans with
 * and without a value, repeated flags, empty values. Arguments that are not flags are ignored,
 * because the Dapr CLI leaves some behind.
 *
 * @throws {UsageError} for an unknown flag or a value of the wrong type
 */
export function parseArgv(argv: readonly string[]): FlagValues {
  const { tokens } = parseArgs({
    args: argv.map(doubleDash),
    options: PARSE_OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<FlagName, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const name = knownName(token.name, token.rawName);
    given.set(name, [...(given.get(name) ?? []), checkedValue(name, token.value)]);
  }
  return new FlagValues(given);
}

/** Tells parseArgs which flags take the next argument as their value. */
const PARSE_OPTIONS = {
  ...Object.fromEntries(
    Object.entries(FLAGS).map(([name, { kind }]) => [
      name,
      { type: kind === 'boolean' ? ('boolean' as const) : ('string' as const) },
    ]),
  ),
  // The only shorthand that pflag defines by itself.
  help: { type: 'boolean' as const, short: 'h' },
};

/**
 * Turns `-app-id` into `--app-id`, as daprd accepts it. A number such as -10 is a value, not a
 * flag.
 */
function doubleDash(word: string): string {
  return /^-[^-\d].+/s.test(word) ? `-${word}` : word;
}

function knownName(name: string, rawName: string): FlagName {
  if (isFlagName(name)) return name;
  const nearest = findNearest(name, Object.keys(FLAGS));
  const hint = nearest === undefined ? '' : `; did you mean --${nearest}?`;
  const kind = rawName.startsWith('--') ? 'flag' : 'shorthand flag';
  throw new UsageError(`unknown ${kind}: ${rawName}${hint}`);
}

function checkedValue(name: FlagName, value: string | undefined): string {
  const { kind } = FLAGS[name];
  if (kind === 'boolean') return checkedBoolean(name, value ?? 'true');
  if (value === undefined) throw new UsageError(`flag needs an argument: --${name}`);
  if (kind === 'integer' && !/^[+-]?\d{1,15}$/.test(value)) {
    throw new UsageError(`${invalid(name, value)}: a whole number is allowed`);
  }
  return value;
}

function checkedBoolean(name: FlagName, value: string): string {
  if (TRUE.includes(value) || FALSE.includes(value)) return value;
  throw new UsageError(`${invalid(name, value)}: true or false is allowed`);
}

function invalid(name: FlagName, value: string): string {
  return `invalid argument ${JSON.stringify(value)} for "--${name}" flag`;
}
