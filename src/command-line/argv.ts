import { parseArgs } from 'node:util';

import { findNearest } from '../base/nearest-name';
import { type FlagName, FLAGS, isFlagName } from './flags';

/** A command line that can't be understood; the message is in pflag's words. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The flags of a command line, with defaults for those that it does not name. */
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
   * Every value given, those with commas split; empty ones are left out. Of a flag that may not be
   * repeated the last one counts.
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

  /** True where the command line names the flag, with whatever value. */
  has(name: FlagName): boolean {
    return this.#given.has(name);
  }

  /** The flags that the command line names. */
  get names(): readonly FlagName[] {
    return [...this.#given.keys()];
  }
}

/** Go's strconv.ParseBool. */
const TRUE: readonly string[] = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE: readonly string[] = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/**
 * Parses a command line in all of daprd's forms (pflag): `--f v`, `--f=v`, `-f v`, booleans with
 * and without a value, repeated flags, empty values. What is no flag is passed over: the Dapr CLI
 * leaves stray words behind.
 *
 * @throws {UsageError} for an unknown flag or a value of the wrong kind
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

/** What parseArgs has to know: which flags take the next word as their value. */
const PARSE_OPTIONS = {
  ...Object.fromEntries(
    Object.entries(FLAGS).map(([name, { kind }]) => [
      name,
      { type: kind === 'boolean' ? ('boolean' as const) : ('string' as const) },
    ]),
  ),
  // pflag's one shorthand that needs no definition.
  help: { type: 'boolean' as const, short: 'h' },
};

/** daprd takes `-app-id` for `--app-id`; a number such as -10 is a value, not a flag. */
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
