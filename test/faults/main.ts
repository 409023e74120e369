import { toFaultChart } from '../../bench/charts/fault-chart';
import { renderChart } from '../../bench/charts/render-chart';
import { chooseGrpcServer, grpcServerOption } from '../support/grpc-server-choice';
import {
  countOption,
  createScript,
  drawSeed,
  type ScriptValues,
  seedOption,
} from '../support/long-run/script-command';
import { runScript, type ScriptRun } from '../support/long-run/script-run';
import { runFaults } from './fault-run';
import { toNamedHistories } from './named-histories';
import { toTable, toVerdict } from './report-table';
import { startPlainClient } from './plain-client';
import { startProcess } from './process-sidecar';

/**
 * Time-outs of the sidecars of a run: the defaults, and short ones that give many unknown outcomes. Shorter ones would pass
 * without a fault on a machine with two cores that this load fills.
 */
const SIDECARS: readonly Readonly<Record<string, string>>[] = [
  {},
  { readTimeout: '1500ms', writeTimeout: '1500ms' },
  { readTimeout: '600ms', writeTimeout: '600ms' },
];

interface FaultValues extends ScriptValues {
  readonly grpcServer?: string;
  readonly ops: number;
  readonly seed?: number;
  readonly clients: number;
  readonly nativeClients: number;
  readonly keys: number;
  readonly minutes: number;
}

const command = createScript({
  name: 'test:faults',
  description:
    'Checks that lock histories of both APIs stay valid while Redis and the network break.',
  example: '--ops 1000000 --seed 7 --minutes 30',
})
  .addOption(grpcServerOption())
  .addOption(countOption('--ops <number>', 'how many operations').default(100_000))
  .addOption(seedOption())
  .addOption(countOption('--clients <number>', "clients of Dapr's API").default(48))
  .addOption(countOption('--native-clients <number>', 'clients of the native API', 0).default(48))
  .addOption(countOption('--keys <number>', 'how many locks they want').default(12))
  .addOption(countOption('--minutes <number>', 'begins nothing more after so long').default(600));

/** Holdfast as it is shipped, under every fault. Exit code 1 where a history is not valid. */
async function main(values: FaultValues, run: ScriptRun): Promise<void> {
  chooseGrpcServer(values.grpcServer);
  const { ops, seed = drawSeed(), clients, nativeClients, keys } = values;
  const longestMs = values.minutes * 60_000;
  run.print(`fault run: ${ops} operations, --seed ${seed} repeats the schedule\n`);
  run.begin({ total: ops, unit: 'operations', longestMs });
  const report = await runFaults({
    ...{ seed, operations: ops, clients, nativeClients, keys, longestMs },
    deadlineMs: 15_000,
    startSidecars: (port) =>
      Promise.all([
        ...SIDECARS.map((metadata) => startProcess(port, metadata)),
        startPlainClient(port),
      ]),
    watchServer: true,
    onProgress: (begun) => {
      run.advance(begun, begun < ops ? '' : 'checking');
    },
  });
  const table = toTable(report);
  run.print(`${table}\n${toVerdict(report)}`);
  const note = `--seed ${seed}, ${report.seconds.toFixed(0)} s`;
  run.attach('results.svg', renderChart(toFaultChart(table, note)));
  for (const violation of report.violations.slice(0, 10)) run.print(`\n${violation}\n`);
  if (report.violations.length > 0) run.attach('histories.json', toNamedHistories(report));
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}

void runScript(command, main);
