import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { Option } from 'commander';
import { build, type Plugin } from 'esbuild';

import { createScript, type ScriptValues } from '../../support/long-run/script-command';
import { runScript, type ScriptRun } from '../../support/long-run/script-run';
import { BUGS } from './bugs';
import { mutate } from './mutate';
import { type Change, MUTANTS } from './mutants';
import { STORE_MUTANTS } from './store-mutants';
import { type Examined, findInSuite, findInTests, type SuiteName } from './store-suites';

const ROOT = path.join(__dirname, '../../..');

/** How many animals are examined at a time. They mostly wait, but those with servers of their own need more. */
const AT_A_TIME = { redis: 3, others: 2 } as const;

/** An animal on Redis that takes longer than this is one that was not found, in milliseconds. */
const LONGEST_MS = 180_000;

/** A control has nothing to be found. */
const CONTROL = 'control without a bug';

const execute = promisify(execFile);

/** Something to be examined. */
interface Animal {
  readonly name: string;
  /** Resolves with what was found. */
  readonly examine: () => Promise<string | undefined>;
}

/** Changes the sources on their way into a bundle. */
function changing(changes: readonly Change[]): Plugin {
  return {
    name: 'mutant',
    setup(bundler) {
      bundler.onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
        const ofFile = changes.filter((change) => file === path.join(ROOT, 'src', change.file));
        const source = await readFile(file, 'utf8');
        return { contents: ofFile.reduce(mutate, source), loader: 'ts' };
      });
    },
  };
}

async function bundle(
  outfile: string,
  changes: readonly Change[] = [],
  entry = path.join(__dirname, 'animal.ts'),
): Promise<string> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
    plugins: changes.length === 0 ? [] : [changing(changes)],
  });
  return outfile;
}

/** The findings of the suite of Redis in an animal. */
async function examine(program: string, name: string, first = ''): Promise<string | undefined> {
  const env = { ...process.env, NODE_PATH: path.join(ROOT, 'node_modules') };
  const { stdout } = await execute(process.execPath, [program, name, first], {
    env,
    timeout: LONGEST_MS,
  });
  return (JSON.parse(stdout) as { found?: string }).found;
}

async function createRedisAnimals(folder: string, only: string): Promise<readonly Animal[]> {
  const right = await bundle(path.join(folder, 'right.js'));
  return [
    { name: CONTROL, examine: () => examine(right, CONTROL) },
    ...MUTANTS.map(({ name, first, changes }, index) => ({
      name,
      examine: async () => {
        const outfile = path.join(folder, `mutant-${index}.js`);
        return examine(await bundle(outfile, changes), name, first);
      },
    })),
    ...BUGS.map(({ name }) => ({ name, examine: () => examine(right, name) })),
  ].filter(({ name }) => name === CONTROL || name.includes(only));
}

/** A folder with the changed sources of an animal. */
async function prepare(
  folder: string,
  store: SuiteName,
  changes: readonly Change[] = [],
): Promise<Examined> {
  for (const file of new Set(changes.map((change) => change.file))) {
    const source = await readFile(path.join(ROOT, 'src', file), 'utf8');
    const target = path.join(folder, 'src', file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(
      target,
      changes.filter((change) => change.file === file).reduce(mutate, source),
    );
  }
  return { store, folder, bundle: (entry, outfile) => bundle(outfile, changes, entry) };
}

/** Where only some animals are examined, the control is run through the tests that catch these. */
function createStoreAnimals(folder: string, store: SuiteName, only: string): readonly Animal[] {
  const mutants = STORE_MUTANTS[store].filter(({ name }) => name.includes(only));
  const control = async (): Promise<string | undefined> => {
    const examined = await prepare(path.join(folder, 'control'), store);
    if (only === '') return findInSuite(examined);
    const places = mutants.map(({ first }) => first);
    return findInTests(examined, places);
  };
  return [
    { name: CONTROL, examine: control },
    ...mutants.map(({ name, first, changes }, index) => ({
      name,
      examine: async () => {
        const examined = await prepare(path.join(folder, `mutant-${index}`), store, changes);
        return (await findInTests(examined, [first])) ?? findInSuite(examined);
      },
    })),
  ];
}

interface ZooValues extends ScriptValues {
  readonly only: string;
  readonly store: 'redis' | SuiteName;
}

const command = createScript({
  name: 'test:zoo',
  description:
    'Tests the fault run, and the tests of each store: puts bugs into the sources, one at a time. Each must be found.',
  example: '--store etcd --only token',
})
  .option('--only <text>', 'only bugs whose name contains this', '')
  .addOption(
    new Option('--store <name>', 'the store whose bugs these are')
      .choices(['redis', ...Object.keys(STORE_MUTANTS)])
      .default('redis'),
  );

/** The suite must catch every bug, and find nothing where there is none; else the exit code is 1. */
async function main({ only, store }: ZooValues, run: ScriptRun): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-zoo-'));
  const animals =
    store === 'redis'
      ? await createRedisAnimals(folder, only)
      : createStoreAnimals(folder, store, only);
  const left = [...animals];
  const result = { caught: 0, isControlClean: false };
  run.begin({ total: animals.length, unit: 'bugs' });
  let done = 0;
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const startedAt = performance.now();
      const found = await next.examine();
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      if (next.name === CONTROL) result.isControlClean = found === undefined;
      else if (found !== undefined) result.caught += 1;
      done += 1;
      run.advance(done, next.name);
      const verdict = found === undefined ? 'nothing' : 'caught ';
      run.print(`${verdict}  ${next.name} (${seconds} s)\n         ${found ?? ''}\n`);
    }
  };
  try {
    const workers = store === 'redis' ? AT_A_TIME.redis : AT_A_TIME.others;
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const bugs = animals.length - 1;
  const { caught, isControlClean } = result;
  run.print(`without a bug: ${isControlClean ? 'nothing found' : 'a fault found'}\n`);
  run.print(`caught ${caught} of ${bugs} on ${store}\n`);
  process.exitCode = caught === bugs && isControlClean ? 0 : 1;
}

void runScript(command, main);
