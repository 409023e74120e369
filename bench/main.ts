import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { runScript, type ScriptRun } from '../test/support/long-run/script-run';
import { startRedisServer } from '../test/support/redis-server';
import { type BenchValues, createBenchCommand, toBenchOptions } from './bench-options';
import type { BenchResult } from './bench-result';
import { loadBenchTools, type LoadGenerators } from './bench-tools';
import { toBenchCharts } from './charts/bench-charts';
import { renderChart } from './charts/render-chart';
import { assertComparable, toComparison } from './compare-runs';
import { describeMachine } from './machine';
import { toMarkdown } from './markdown-report';
import { findNodes } from './node-binary';
import { runProfile } from './profile';
import { toRatios } from './ratios';
import { runCommand } from './run-command';
import { SectionRun } from './run-sections';
import { runSoak } from './soak';
import type { Workbench } from './workbench';

const SHORT_MS = 10_000;

/**
 * `npm run bench`: what a lock call costs on our sidecar, beside the least that its libraries cost and
 * beside other sidecars. Exit code 1 where a measure failed; aims that are missed are told, not failed.
 */
async function main(values: BenchValues, script: ScriptRun): Promise<void> {
  const options = toBenchOptions(values);
  const tools = await loadBenchTools();
  const { ensureEtcd, ensureLoadGenerators, VERSIONS } = tools;
  const generators = ensureLoadGenerators(process.env);
  const nodes = await findNodes(options.nodes, tools);
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-bench-'));
  const redis = await startRedisServer();
  const cleanUp = async () => {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void cleanUp().finally(() => process.exit(1)));
  }
  try {
    const { redisPid, redisVersion } = await redis.inspect(async (client) => {
      const info = await client.info('server');
      const find = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? '';
      return { redisPid: Number(find('process_id')), redisVersion: find('redis_version') };
    });
    const etcd = options.sections.includes('handover') ? ensureEtcd(process.env) : undefined;
    const tools = { ...generators, folder, etcd };
    const bench = { options, nodes, tools, redis, redisPid };
    const versions = { redis: redisVersion, vegeta: VERSIONS.vegeta };
    await (options.profile ? runProfile(bench, script) : measureAll(bench, versions, script));
  } finally {
    await cleanUp();
  }
}

async function measureAll(
  bench: Workbench,
  versions: { readonly redis: string; readonly vegeta: string },
  script: ScriptRun,
): Promise<void> {
  const { options, nodes, tools } = bench;
  const machine = describeMachine({
    ...versions,
    node: nodes.map(({ version }) => version),
    h2load: await h2loadVersion(tools),
  });
  const earlier = await readEarlier(options.compare);
  // Before an hour of load, not after it.
  if (earlier !== undefined) assertComparable(earlier.machine, machine);
  const date = new Date().toISOString();
  const findings = await new SectionRun(bench, script).run();
  const soak = await runSoak(bench);
  const ratios = findings.measures.flatMap(toRatios);
  const revision = await readRevision();
  const result = { date, revision, machine, options, ...findings, ratios, soak };
  report(result, earlier, script);
  if (result.failures.length > 0) process.exitCode = 1;
}

function report(result: BenchResult, earlier: BenchResult | undefined, script: ScriptRun): void {
  const comparison = earlier === undefined ? '' : `\n${toComparison(earlier, result)}`;
  script.print(toMarkdown(result) + comparison);
  script.attach('results.json', `${JSON.stringify(result, null, 2)}\n`);
  for (const [name, chart] of toBenchCharts(result)) script.attach(name, renderChart(chart));
}

async function readEarlier(file: string | undefined): Promise<BenchResult | undefined> {
  return file === undefined ? undefined : (JSON.parse(await readFile(file, 'utf8')) as BenchResult);
}

async function h2loadVersion({ h2load }: LoadGenerators): Promise<string> {
  const said = await runCommand(h2load, ['--version'], { withinMs: SHORT_MS });
  return /nghttp2\/(\S+)/.exec(said)?.[1] ?? 'unknown';
}

async function readRevision(): Promise<string> {
  const git = (...args: string[]) => runCommand('git', args, { withinMs: SHORT_MS });
  try {
    const changed = await git('status', '--porcelain', '--untracked-files=no');
    return (await git('rev-parse', '--short', 'HEAD')).trim() + (changed === '' ? '' : '+');
  } catch {
    // A copy of the sources without its history can be measured as well.
    return 'unknown';
  }
}

void runScript(createBenchCommand(), main);
