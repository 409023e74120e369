import path from 'node:path';
import { parseArgs } from 'node:util';

import { createQuickStore } from '../../stores/redis/redis-fixture';
import { runFaults } from '../fault-run';
import { toTable } from '../report-table';
import { startInProcess } from '../in-process-sidecar';
import { startPlainClient } from '../plain-client';
import { startProcess } from '../process-sidecar';
import type { SidecarUnderTest } from '../sidecar-under-test';
import { FirstVersionCommands } from './first-version';
import { countCrossings, handOver, ofVersion } from './rolling';

/**
 * `npm run test:upgrade -- --ops N --seed S`: the first version and this one on one Redis, under
 * every fault. The first version is its commands in the store of this checkout, or with
 * `--first-checkout DIR` the sidecar of a checkout that is built there.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ops: { type: 'string', default: '50000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      'first-checkout': { type: 'string' },
    },
  });
  const [operations, seed] = [Number(values.ops), Number(values.seed)];
  process.stdout.write(`upgrade run: ${operations} operations, --seed ${seed}\n`);
  const report = await runFaults({
    seed,
    operations,
    clients: 48,
    nativeClients: 0,
    keys: 12,
    deadlineMs: 15_000,
    startSidecars: (port) => startFleet(port, operations, values['first-checkout']),
    watchServer: true,
  });
  const crossings = countCrossings(report.operations);
  process.stdout.write(
    toTable(report, {
      'leases of the first version that the present one released': crossings['first to present'],
      'leases of the present version that the first one released': crossings['present to first'],
    }),
  );
  for (const violation of report.violations.slice(0, 10)) process.stdout.write(`\n${violation}\n`);
  const crossed = Math.min(...Object.values(crossings)) > 0;
  if (!crossed) process.stdout.write('\nno lease was held across the versions\n');
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
  );
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 1;
});
