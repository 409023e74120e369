import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

import { Option } from 'commander';

import { chooseGrpcServer, grpcServerOption } from '../support/grpc-server-choice';
import {
  createScript,
  oneMore,
  ScriptUsageError,
  type ScriptValues,
} from '../support/long-run/script-command';
import { runScript, type ScriptRun } from '../support/long-run/script-run';
import type { InteropProgram, RunCommand } from './client';
import { STORE_NAMES, type StoreName } from './lock-servers';
import type { CommandLine } from './process-group';
import { isMissingProgram, runCommand } from './run-command';
import type { StepReport } from './steps';
import { type TableRow, toTable } from './table';
import { type Trial, TRIALS } from './trials';

/** How many clients are built and run at a time. They mostly wait for leases to end. */
const AT_A_TIME = 4;

/** The parts that the clients of one run share. */
interface Run {
  readonly store: StoreName;
  /** Stops everything that the run has started. */
  readonly signal: AbortSignal;
  /** A command that ends with the run. */
  readonly runCommand: RunCommand;
  /** By build folder, what runs the program that was built there. */
  readonly builds: Map<string, Promise<CommandLine>>;
  /** Says a line that does not belong to the report. */
  readonly say: (line: string) => void;
}

/** The result of a client. */
type Outcome =
  | { readonly kind: 'run'; readonly report: StepReport }
  | { readonly kind: 'missing'; readonly toolchain: string }
  | { readonly kind: 'failed'; readonly reason: string };

interface InteropValues extends ScriptValues {
  readonly grpcServer?: string;
  readonly client?: readonly string[];
  readonly store: StoreName;
}

const command = createScript({
  name: 'test:interop',
  description:
    "Takes Dapr's official clients, unchanged, and programs on the native API through one script each against sidecars on real servers of one store.",
  example: '--store etcd --client go --client javascript',
})
  .addOption(grpcServerOption())
  .addOption(
    new Option('--store <name>', 'the store of the sidecars')
      .choices(STORE_NAMES)
      .default(STORE_NAMES[0]),
  )
  .option('--client <folder>', 'only this client; can be repeated', oneMore);

/**
 * Prints what passed. A missing toolchain is told; in continuous integration (CI=true) it is a failure, unless the
 * client may be missing. SIGINT and SIGTERM stop what was started before the run ends.
 */
async function main(values: InteropValues, script: ScriptRun): Promise<void> {
  chooseGrpcServer(values.grpcServer);
  const trials = selectTrials(values.client);
  script.begin({ total: trials.length, unit: 'clients' });
  let done = 0;
  const signal = abortOnSignals();
  const { store } = values;
  script.print(`store: ${store}\n`);
  const run: Run = {
    ...{ store, signal },
    runCommand: (command) => runCommand(command, { signal }),
    builds: new Map(),
    say: (line) => {
      script.say(line);
    },
  };
  const outcomes = await mapInTurns(trials, async (trial) => {
    const outcome = await carryOut(trial, run);
    done += 1;
    script.advance(done, trial.program.name);
    script.print(tell(trial.program, outcome));
    return outcome;
  });
  const rows = trials.map(({ program }, index) => toRow(program, outcomes[index]!));
  script.print(`\n${toTable(rows)}`);
  const isBad = outcomes.some((outcome, index) => isFailure(outcome, trials[index]!.program));
  process.exitCode = isBad || signal.aborted ? 1 : 0;
}

/** The clients of these folders, or all; throws for a folder that no client has. */
function selectTrials(folders: readonly string[] | undefined): readonly Trial[] {
  const known = new Set(TRIALS.map(({ program }) => program.folder));
  const unknown = folders?.filter((folder) => !known.has(folder)) ?? [];
  if (unknown.length > 0) {
    throw new ScriptUsageError(
      `no client ${unknown.join(', ')}; there are ${[...known].join(', ')}`,
    );
  }
  return TRIALS.filter(({ program }) => folders?.includes(program.folder) ?? true);
}

/** A second signal ends the process at once, as ever. */
function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      controller.abort(new Error(`stopped by ${signal}`));
    });
  }
  return controller.signal;
}

async function carryOut(trial: Trial, run: Run): Promise<Outcome> {
  const { toolchain } = trial.program;
  try {
    await run.runCommand(toolchain);
  } catch (error) {
    if (isMissingProgram(error)) return { kind: 'missing', toolchain: toolchain.file };
    return toFailure(error);
  }
  try {
    const command = await prepareOnce(trial.program, run);
    return { kind: 'run', report: await trial.run(command, run) };
  } catch (error) {
    return toFailure(error);
  }
}

function toFailure(error: unknown): Outcome & { readonly kind: 'failed' } {
  return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
}

/** One build for all the clients of one program and version. */
function prepareOnce(client: InteropProgram, run: Run): Promise<CommandLine> {
  const { builds, runCommand } = run;
  const name = [client.folder, client.build, client.version].filter(Boolean).join('-');
  const buildFolder = path.join(cacheFolder(), name);
  const known = builds.get(buildFolder);
  if (known !== undefined) return known;
  const prepare = () => client.prepare(buildFolder, runCommand);
  const building = mkdir(buildFolder, { recursive: true }).then(() => onceMore(prepare, run));
  builds.set(buildFolder, building);
  return building;
}

/** Steps that fetch packages are tried twice: a registry may be away for a moment. */
function onceMore<T>(prepare: () => Promise<T>, { say }: Run): Promise<T> {
  return prepare().catch((error: unknown) => {
    if (isMissingProgram(error)) throw error;
    say(`${toFailure(error).reason}\nPreparing this client once more.`);
    return prepare();
  });
}

/** Where downloads and builds are kept between runs, beside what the package managers keep. */
function cacheFolder(): string {
  const caches = process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache');
  return path.join(caches, 'holdfast', 'interop');
}

/** Works on so many at a time, and gives the results in the order of the items. */
async function mapInTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
      const [index, item] = next;
      results[index] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return results;
}

function tell({ name, version }: InteropProgram, outcome: Outcome): string {
  const head = `${name} ${version}: `;
  switch (outcome.kind) {
    case 'missing':
      return `${head}${outcome.toolchain} is missing\n`;
    case 'failed':
      return `${head}could not be run: ${outcome.reason}\n`;
    case 'run':
      return (
        `${head}${toCount(outcome.report)} steps passed\n` +
        outcome.report.failed
          .map(
            ({ step, expected, answered }) =>
              `  FAILED ${step}\n    expected ${expected}\n    answered ${answered}\n`,
          )
          .join('') +
        toSkips(outcome.report) +
        (outcome.report.remarks ?? '')
      );
  }
}

/** Each reason once, with its steps. */
function toSkips({ skipped = [] }: StepReport): string {
  const reasons = [...new Set(skipped.map(({ reason }) => reason))];
  return reasons
    .map((reason) => {
      const steps = skipped.filter((skip) => skip.reason === reason).map(({ step }) => step);
      return `  skipped, because ${reason}:\n${steps.map((step) => `    ${step}\n`).join('')}`;
    })
    .join('');
}

function toRow({ name, version }: InteropProgram, outcome: Outcome): TableRow {
  return { client: name, version, outcome: toOutcomeText(outcome) };
}

function toOutcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'run':
      return toCount(outcome.report);
    case 'missing':
      return `not run: ${outcome.toolchain} is missing`;
    case 'failed':
      return 'could not be run';
  }
}

function toCount({ steps, failed, skipped = [] }: StepReport): string {
  const more = skipped.length === 0 ? '' : `, ${skipped.length} skipped`;
  return `${steps - failed.length} of ${steps}${more}`;
}

function isFailure(outcome: Outcome, { mayBeMissing }: InteropProgram): boolean {
  switch (outcome.kind) {
    case 'run':
      return outcome.report.failed.length > 0;
    case 'failed':
      return true;
    case 'missing':
      return process.env.CI === 'true' && mayBeMissing !== true;
  }
}

void runScript(command, main);
