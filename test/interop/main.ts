import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import type { InteropClient } from './client';
import { type ClientReport, ClientRun } from './client-run';
import { CLIENTS } from './clients';
import { type CommandLine, runCommand } from './run-command';
import { type TableRow, toTable } from './table';

/** How many clients are built and run at a time. */
const AT_A_TIME = 2;

/** By build folder, what runs the program that was built there. */
type Builds = Map<string, Promise<CommandLine>>;

/** What became of a client. */
type Outcome =
  | { readonly kind: 'run'; readonly report: ClientReport }
  | { readonly kind: 'missing'; readonly toolchain: string }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Takes Dapr's official clients, unchanged, through one script each against sidecars on a real Redis,
 * and prints what passed. `--client FOLDER`, which may be given again, runs only those. A missing toolchain is told;
 * in continuous integration (CI=true) it is a failure, unless the client may be missing.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { client: { type: 'string', multiple: true } } });
  const clients = CLIENTS.filter(({ folder }) => values.client?.includes(folder) ?? true);
  if (clients.length === 0) {
    const folders = new Set(CLIENTS.map(({ folder }) => folder));
    throw new Error(`no such client; there are ${[...folders].join(', ')}`);
  }
  const builds: Builds = new Map();
  const outcomes = await mapInTurns(clients, async (client) => {
    const outcome = await tryClient(client, builds);
    process.stdout.write(tell(client, outcome));
    return outcome;
  });
  const rows = clients.map((client, index) => toRow(client, outcomes[index]!));
  process.stdout.write(`\n${toTable(rows)}`);
  const isBad = outcomes.some((outcome, index) => isFailure(outcome, clients[index]!));
  process.exitCode = isBad ? 1 : 0;
}

async function tryClient(client: InteropClient, builds: Builds): Promise<Outcome> {
  const { toolchain } = client;
  try {
    await runCommand(toolchain);
  } catch {
    return { kind: 'missing', toolchain: toolchain.file };
  }
  try {
    return { kind: 'run', report: await ClientRun.run(client, await prepareOnce(client, builds)) };
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** One build for all the clients of one program and version. */
function prepareOnce(client: InteropClient, prepared: Builds): Promise<CommandLine> {
  const buildFolder = path.join(cacheFolder(), `${client.folder}-${client.version}`);
  const known = prepared.get(buildFolder);
  if (known !== undefined) return known;
  const building = mkdir(buildFolder, { recursive: true }).then(() => client.prepare(buildFolder));
  prepared.set(buildFolder, building);
  return building;
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

function tell({ name, version }: InteropClient, outcome: Outcome): string {
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
          .join('')
      );
  }
}

function toRow({ name, version }: InteropClient, outcome: Outcome): TableRow {
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

function toCount({ steps, failed }: ClientReport): string {
  return `${steps - failed.length} of ${steps}`;
}

function isFailure(outcome: Outcome, { mayBeMissing }: InteropClient): boolean {
  switch (outcome.kind) {
    case 'run':
      return outcome.report.failed.length > 0;
    case 'failed':
      return true;
    case 'missing':
      return process.env.CI === 'true' && mayBeMissing !== true;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
