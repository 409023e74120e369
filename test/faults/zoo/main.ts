import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { build, type Plugin } from 'esbuild';

import { createScript, type ScriptValues } from '../../support/long-run/script-command';
import { runScript, type ScriptRun } from '../../support/long-run/script-run';
import { BUGS } from './bugs';
import { mutate } from './mutate';
import { type Mutant, MUTANTS } from './mutants';

const ROOT = path.join(__dirname, '../../..');

/** How many animals are examined at a time. They mostly wait. */
const AT_A_TIME = 3;

/** An animal that takes longer than this is one that was not found, in milliseconds. */
const LONGEST_MS = 180_000;

/** A control has nothing to be found. */
const CONTROL = 'control without a bug';

const execute = promisify(execFile);

/** Changes the sources on their way into a bundle. */
function changing({ changes }: Mutant): Plugin {
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

async function bundle(outfile: string, mutant?: Mutant): Promise<string> {
  await build({
    entryPoints: [path.join(__dirname, 'animal.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
    plugins: mutant === undefined ? [] : [changing(mutant)],
  });
  return outfile;
}

/** The findings of the suite in an animal. */
async function examine(
  program: string,
  { name, first = '' }: { readonly name: string; readonly first?: string },
): Promise<string | undefined> {
  const env = { ...process.env, NODE_PATH: path.join(ROOT, 'node_modules') };
  const { stdout } = await execute(process.execPath, [program, name, first], {
    env,
    timeout: LONGEST_MS,
  });
  return (JSON.parse(stdout) as { found?: string }).found;
}

interface ZooValues extends ScriptValues {
  readonly only: string;
}

const command = createScript({
  name: 'test:zoo',
  description:
    'Tests the fault run: puts bugs into the sources, one at a time. Each must be found.',
  example: '--only token',
}).option('--only <text>', 'only bugs whose name contains this', '');

/** The suite must catch every bug, and find nothing where there is none; else the exit code is 1. */
async function main({ only }: ZooValues, run: ScriptRun): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-zoo-'));
  const right = await bundle(path.join(folder, 'right.js'));
  const animals = [
    { name: CONTROL, program: async () => right },
    ...MUTANTS.map((mutant, index) => ({
      name: mutant.name,
      first: mutant.first,
      program: () => bundle(path.join(folder, `mutant-${index}.js`), mutant),
    })),
    ...BUGS.map(({ name }) => ({ name, program: async () => right })),
  ].filter(({ name }) => name === CONTROL || name.includes(only));
  const left = [...animals];
  const result = { caught: 0, isControlClean: false };
  run.begin({ total: animals.length, unit: 'bugs' });
  let done = 0;
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const startedAt = performance.now();
      const found = await examine(await next.program(), next);
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
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const bugs = animals.length - 1;
  const { caught, isControlClean } = result;
  run.print(`without a bug: ${isControlClean ? 'nothing found' : 'a fault found'}\n`);
  run.print(`caught ${caught} of ${bugs}\n`);
  process.exitCode = caught === bugs && isControlClean ? 0 : 1;
}

void runScript(command, main);
