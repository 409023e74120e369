import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import {
  countOption,
  createScript,
  oneMore,
  type ScriptValues,
} from '../../test/support/long-run/script-command';
import { runScript, type ScriptRun } from '../../test/support/long-run/script-run';
import { loadBenchTools } from '../bench-tools';
import { findNodes } from '../node-binary';
import { median } from '../statistics';
import { measureServer, type RoundResult, type RoundSize } from './one-server';

interface GrpcServerValues extends ScriptValues {
  readonly node?: readonly string[];
  readonly rounds: number;
  readonly calls: number;
  readonly holds: number;
}

const SERVERS = ['grpc-js', 'lean'] as const;

interface Row {
  readonly key: keyof RoundResult;
  readonly what: string;
  readonly digits: number;
  /** What the ratio should be: at least that of calls a second, at most all others. */
  readonly aim: number;
}

const ROWS: readonly Row[] = [
  { key: 'callsPerSecond', what: '100 in flight, calls a second', digits: 0, aim: 2.5 },
  { key: 'cpuUs', what: '100 in flight, µs of CPU a call', digits: 0, aim: 0.45 },
  { key: 'meanMs', what: '1 in flight, mean time in ms', digits: 2, aim: 0.7 },
  { key: 'p99Ms', what: '1,000 calls a second, p99 in ms', digits: 1, aim: 0.6 },
  { key: 'loadedMb', what: 'memory after these, MB', digits: 0, aim: 0.7 },
  { key: 'startMs', what: 'start to first lock, ms', digits: 0, aim: 0.85 },
  { key: 'holdKb', what: 'an open hold, KB', digits: 1, aim: 0.25 },
];

const command = createScript({
  name: 'bench:grpc-server',
  description:
    'Our own gRPC server beside grpc-js, in turn: calls, CPU, times, memory, start, holds.',
  example: '--node 20 --node image --rounds 5',
})
  .option(
    '--node <node>',
    'a path, a major version, or image for the one of the image; can be repeated',
    oneMore,
  )
  .addOption(countOption('--rounds <number>', 'how often each is measured').default(5))
  .addOption(countOption('--calls <number>', 'calls of a load').default(30_000))
  .addOption(countOption('--holds <number>', 'open holds').default(10_000));

async function main(values: GrpcServerValues, script: ScriptRun): Promise<void> {
  const tools = await loadBenchTools();
  const { h2load, vegeta } = tools.ensureLoadGenerators(process.env);
  const nodes = await findNodes(values.node ?? [], tools);
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-bench-'));
  const size = { calls: values.calls, openCalls: values.calls / 10, holds: values.holds };
  script.begin({ total: nodes.length * values.rounds, unit: 'rounds' });
  try {
    for (const [index, node] of nodes.entries()) {
      const results = new Map<string, RoundResult[]>(SERVERS.map((server) => [server, []]));
      for (let round = 0; round < values.rounds; round += 1) {
        await measureRound(results, size, { node, folder, h2load, vegeta });
        script.advance(index * values.rounds + round + 1);
      }
      script.print(`Node ${node.version}, ${values.rounds} rounds\n\n${toTable(results)}\n`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureRound(
  results: ReadonlyMap<string, RoundResult[]>,
  size: RoundSize,
  bench: Parameters<typeof measureServer>[2],
): Promise<void> {
  for (const [server, rounds] of results) rounds.push(await measureServer(server, size, bench));
}

function toTable(results: ReadonlyMap<string, readonly RoundResult[]>): string {
  const [theirs = [], ours = []] = SERVERS.map((server) => results.get(server));
  const rows = ROWS.map(({ key, what, digits, aim }) => {
    const [before, after] = [theirs, ours].map((rounds) => rounds.map((round) => round[key]));
    const cells = [before, after].map((numbers = []) => toCell(numbers, digits));
    const ratio = median(after ?? []) / median(before ?? []);
    return `| ${[what, ...cells, ratio.toFixed(2), aim].join(' | ')} |\n`;
  });
  const head = '| what | grpc-js | lean | ratio | aim |\n| --- | ---: | ---: | ---: | ---: |\n';
  return `${head}${rows.join('')}`;
}

/** The median, and between which numbers it is. */
function toCell(numbers: readonly number[], digits: number): string {
  const [middle, least, most] = [median(numbers), Math.min(...numbers), Math.max(...numbers)];
  return `${middle.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}

void runScript(command, main);
