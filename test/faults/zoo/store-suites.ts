import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const ROOT = path.join(__dirname, '../../..');

const execute = promisify(execFile);

/** Schedules of the fault run that every animal has to be caught by one of, unless a test catches it. */
const SEEDS = [11, 12];

/** How many operations a fault run has. */
const OPERATIONS = '2500';

/** How long one step may take on a busy machine, in milliseconds. */
const STEP_MS = 600_000;

/** The stores with tests and faults of their own. */
export type SuiteName = 'etcd' | 'postgresql' | 'cluster';

/** A file of tests, and a part of the name of one of them. */
export type TestPlace = readonly [file: string, test: string];

/** The fault run of the store, in the place of a test. */
export const FAULT_RUN: TestPlace = ['its fault run', ''];

/** Everything that checks a store. */
interface Suite {
  /** In the order in which they are run. */
  readonly tests: readonly string[];
  /** The script of its fault run. */
  readonly faultRun: string;
}

/** By the name of the store. */
export const SUITES: Readonly<Record<SuiteName, Suite>> = {
  etcd: {
    tests: [
      'test/conformance/etcd-store.test.ts',
      'test/stores/etcd/late-sends.test.ts',
      'test/etcd/waiting.test.ts',
      'test/etcd/lost-replies.test.ts',
      'test/etcd/cluster-faults.test.ts',
    ],
    faultRun: 'test/etcd/fault-run/main.ts',
  },
  postgresql: {
    tests: [
      'test/conformance/postgresql-store.test.ts',
      'test/postgresql/clock.test.ts',
      'test/postgresql/late-sends.test.ts',
      'test/postgresql/faults.test.ts',
    ],
    faultRun: 'test/postgresql/fault-run/main.ts',
  },
  cluster: {
    tests: [
      'test/cluster/conformance.test.ts',
      'test/cluster/slots.test.ts',
      'test/cluster/moving.test.ts',
      'test/cluster/acknowledged.test.ts',
    ],
    faultRun: 'test/cluster/fault-run/main.ts',
  },
};

/** The sources that are examined, and where. */
export interface Examined {
  readonly store: SuiteName;
  /** A folder of its own, whose part `src` has the changed sources. */
  readonly folder: string;
  /** Bundles a program with them. */
  readonly bundle: (entry: string, outfile: string) => Promise<string>;
}

/** Runs some tests; the first that fails, and why. */
export async function findInTests(
  examined: Examined,
  tests: readonly TestPlace[],
): Promise<string | undefined> {
  for (const place of tests) {
    const found = await (place === FAULT_RUN ? runFaultRun(examined) : runTest(examined, place));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Runs everything that checks a store until something is found; undefined where nothing is. */
export async function findInSuite(examined: Examined): Promise<string | undefined> {
  const { tests } = SUITES[examined.store];
  return findInTests(examined, [...tests.map((file): TestPlace => [file, '']), FAULT_RUN]);
}

interface JestReport {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

async function runTest({ folder }: Examined, [file, test]: TestPlace): Promise<string | undefined> {
  const configFile = path.join(__dirname, 'jest.config.js');
  const outputFile = path.join(folder, 'results.json');
  await mkdir(path.join(folder, 'src'), { recursive: true });
  // A test that fails may leave something open, and Jest would wait for it.
  const args = [
    '--config',
    configFile,
    '-i',
    '--silent',
    '--forceExit',
    '--json',
    '--outputFile',
    outputFile,
  ];
  const only = test === '' ? [] : ['--testNamePattern', toPattern(test)];
  const jest = path.join(ROOT, 'node_modules/jest/bin/jest.js');
  const env = { ...process.env, HOLDFAST_ZOO_SOURCES: path.join(folder, 'src') };
  await writeFile(outputFile, '');
  await execute(process.execPath, [jest, ...args, ...only, '--runTestsByPath', file], {
    ...{ cwd: ROOT, env, timeout: STEP_MS, maxBuffer: 2 ** 26 },
  }).catch(() => undefined);
  const report = JSON.parse(await readFile(outputFile, 'utf8')) as JestReport;
  return readReport(report, file);
}

const toPattern = (text: string): string => text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&');

/** Throws where nothing was run: that is no finding. */
function readReport({ testResults }: JestReport, file: string): string | undefined {
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  const run = results.filter(({ status }) => status === 'passed' || status === 'failed');
  if (run.length === 0) throw new Error(`${file}: no test ran. ${testResults[0]?.message ?? ''}`);
  const failed = run.find(({ status }) => status === 'failed');
  if (failed === undefined) return undefined;
  const [reason = ''] = failed.failureMessages;
  return `${file}: ${failed.fullName}\n         ${toLines(reason)}`;
}

/** What was expected and what came, without colours and places. */
function toLines(reason: string): string {
  // eslint-disable-next-line no-control-regex
  const plain = reason.replace(/\u001b\[\d+m/g, '');
  const lines = plain.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  return lines
    .slice(0, 3)
    .map((line) => line.trim())
    .join(' ')
    .slice(0, 200);
}

/** The output of a program that failed. */
interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

async function runFaultRun({ store, folder, bundle }: Examined): Promise<string | undefined> {
  const { faultRun } = SUITES[store];
  const program = await bundle(path.join(ROOT, faultRun), path.join(folder, 'fault-run.js'));
  for (const seed of SEEDS) {
    const args = ['--ops', OPERATIONS, '--seed', String(seed), '--quiet', '--out', folder];
    const options = {
      ...{ cwd: ROOT, timeout: STEP_MS, maxBuffer: 2 ** 26 },
      env: { ...process.env, NODE_PATH: path.join(ROOT, 'node_modules') },
    };
    const failed = await execute(process.execPath, [program, ...args], options).then(
      () => undefined,
      (error: unknown) => error as Output,
    );
    if (failed !== undefined) return `fault run, seed ${seed}: ${toViolation(failed)}`;
  }
  return undefined;
}

/** The first violation follows the table, the verdict, and the rules that the run is no proof of. */
function toViolation({ stdout, stderr }: Output): string {
  const lines = stdout.split('\n').filter((line) => line !== '' && !/^(?:\||- )/.test(line));
  const verdict = lines.findIndex((line) => /^\d+ violations\./.test(line));
  if (verdict === -1) throw new Error(`the fault run did not end: ${stderr}`);
  return lines
    .slice(verdict + 1, verdict + 3)
    .join(' ')
    .slice(0, 400);
}
