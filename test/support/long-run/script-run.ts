import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { type Command, CommanderError } from 'commander';

import { ProgressLine, type ProgressPlan } from './progress-line';
import { EXIT_USAGE, ScriptUsageError, type ScriptValues } from './script-command';

/** The file with what a script has printed, in the folder of its report. */
const REPORT = 'results.md';

/**
 * A script while it runs: what it finds goes to standard output and into its report, what it says meanwhile and how far
 * it is go to standard error, so that a program can read the former.
 */
export class ScriptRun {
  readonly #folder: string;
  readonly #progress: ProgressLine;
  readonly #files = new Map<string, string>();
  readonly #isQuiet: boolean;

  constructor({ out, quiet = false }: ScriptValues) {
    this.#folder = out;
    this.#isQuiet = quiet;
    const { stderr: stream, env } = process;
    this.#progress = new ProgressLine({ stream, env, isQuiet: quiet });
  }

  /** Prints a part of the report. */
  print(text: string): void {
    this.#files.set(REPORT, (this.#files.get(REPORT) ?? '') + text);
    this.#progress.aside(() => process.stdout.write(text));
  }

  /** Says a line that does not belong to the report, unless the script shall be quiet. */
  say(line: string): void {
    if (this.#isQuiet) return;
    this.#progress.aside(() => process.stderr.write(`${line}\n`));
  }

  /** Puts a file beside the report. */
  attach(name: string, text: string): void {
    this.#files.set(name, text);
  }

  /** Begins to count parts of the work. */
  begin(plan: ProgressPlan): void {
    this.#progress.begin(plan);
  }

  /** Says how many parts are done. */
  advance(done: number, note?: string): void {
    this.#progress.advance(done, note);
  }

  /** Ends the progress, writes the report, and says where it is. */
  async finish(): Promise<void> {
    this.#progress.end();
    if (this.#files.size === 0) return;
    await mkdir(this.#folder, { recursive: true });
    for (const [name, text] of this.#files) await writeFile(path.join(this.#folder, name), text);
    const files = [...this.#files.keys()].map((name) => path.join(this.#folder, name));
    process.stderr.write(`report: ${files.join(', ')}\n`);
  }
}

/** The work of a script, given the values of its command line. */
export type Work<Values extends ScriptValues> = (values: Values, run: ScriptRun) => Promise<void>;

/**
 * Runs a script. Its exit code is what `work` sets, 64 for a command line that can't be carried out, and 1 if `work`
 * fails; what was found until then is kept in the report.
 */
export async function runScript<Values extends ScriptValues>(
  command: Command,
  work: Work<Values>,
): Promise<void> {
  try {
    const values: Values = command.parse().opts();
    const run = new ScriptRun(values);
    try {
      await work(values, run);
    } finally {
      await run.finish();
    }
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** commander has said its own errors, and shown its help. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (error instanceof ScriptUsageError) {
    process.stderr.write(`error: ${error.message}\n`);
    return EXIT_USAGE;
  }
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 1;
}
