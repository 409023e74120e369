import path from 'node:path';

import { createQuickStore, QUICK_SEND_MS } from '../../stores/redis/redis-fixture';
import {
  countOption,
  createScript,
  drawSeed,
  type ScriptValues,
  seedOption,
} from '../../support/long-run/script-command';
import { runScript, type ScriptRun } from '../../support/long-run/script-run';
import { runFaults } from '../fault-run';
import { toTable, toVerdict } from '../report-table';
import { startInProcess } from '../in-process-sidecar';
import { startPlainClient } from '../plain-client';
import { startProcess } from '../process-sidecar';
import type { SidecarUnderTest } from '../sidecar-under-test';
import { FirstVersionCommands } from './first-version';
import { countCrossings, handOver, ofVersion } from './rolling';

interface UpgradeValues extends ScriptValues {
  readonly ops: number;
  readonly seed?: number;
  readonly firstCheckout?: string;
}

const command = createScript({
  name: 'test:upgrade',
  description:
    'Lets the first version and this one use one Redis, under every fault. The first version is its commands in the store of this checkout.',
  example: '--ops 50000 --seed 1',
})
  .addOption(countOption('--ops <number>', 'how many operations').default(50_000))
  .addOption(seedOption())
  .option('--first-checkout <folder>', 'instead, the sidecar of a checkout that is built there');

/** Exit code 1 where a history is not valid, or no lease was held across the versions. */
async function main(values: UpgradeValues, run: ScriptRun): Promise<void> {
  const { ops: operations, seed = drawSeed(), firstCheckout } = values;
  run.print(`upgrade run: ${operations} operations, --seed ${seed}\n`);
  run.begin({ total: operations, unit: 'operations' });
  const report = await runFaults({
    seed,
    operations,
    clients: 48,
    nativeClients: 0,
    keys: 12,
    deadlineMs: 15_000,
    startSidecars: (port) => startFleet(port, operations, firstCheckout),
    watchServer: true,
    onProgress: (begun) => {
      run.advance(begun);
    },
  });
  const crossings = countCrossings(report.operations);
  run.print(
    `${toTable(report, {
      'leases of the first version that the present one released': crossings['first to present'],
      'leases of the present version that the first one released': crossings['present to first'],
    })}\n${toVerdict(report)}`,
  );
  for (const violation of report.violations.slice(0, 10)) run.print(`\n${violation}\n`);
  const crossed = Math.min(...Object.values(crossings)) > 0;
  if (!crossed) run.print('\nno lease was held across the versions\n');
  process.exitCode = crossed && report.violations.length === 0 ? 0 : 1;
}

/** Two of the first version, each replaced at another moment, two of this one, and a daprd's commands. */
async function startFleet(
  port: number,
  operations: number,
  firstCheckout: string | undefined,
): Promise<SidecarUnderTest[]> {
  const [old, older, present, quick, daprd] = await Promise.all([
    startFirstVersion(port, firstCheckout),
    startFirstVersion(port, firstCheckout),
    startProcess(port, {}),
    startProcess(port, { readTimeout: '150ms', writeTimeout: '150ms' }),
    startPlainClient(port),
  ]);
  const successor = ofVersion('present', present);
  const callsEach = operations / 5;
  return [
    handOver(ofVersion('first', old), successor, callsEach / 3),
    handOver(ofVersion('first', older), successor, (callsEach * 2) / 3),
    successor,
    ofVersion('present', quick),
    daprd,
  ];
}

function startFirstVersion(port: number, checkout: string | undefined): Promise<SidecarUnderTest> {
  if (checkout !== undefined) return startProcess(port, {}, path.join(checkout, 'dist/main.js'));
  return startInProcess(
    port,
    (at) => createQuickStore(at, { commands: new FirstVersionCommands() }).store,
    QUICK_SEND_MS,
  );
}

void runScript(command, main);
