import { parseArgs } from 'node:util';

import { runFaults } from './fault-run';
import { toTable } from './report-table';
import { startPlainClient } from './plain-client';
import { startProcess } from './process-sidecar';

/** Time-outs of the sidecars of a run: the defaults, and short ones that give many unknown outcomes. */
const SIDECARS: readonly Readonly<Record<string, string>>[] = [
  {},
  { readTimeout: '400ms', writeTimeout: '400ms' },
  { readTimeout: '150ms', writeTimeout: '150ms' },
];

/**
 * `npm run test:faults -- --ops N --seed S`: Holdfast as it is shipped, under every fault. With `--minutes M` it begins
 * nothing more after so long.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ops: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      clients: { type: 'string', default: '48' },
      'native-clients': { type: 'string', default: '48' },
      keys: { type: 'string', default: '12' },
      minutes: { type: 'string', default: '600' },
    },
  });
  const seed = Number(values.seed);
  process.stdout.write(
    `fault run: ${values.ops} operations, --seed ${seed} repeats the schedule\n`,
  );
  const report = await runFaults({
    seed,
    operations: Number(values.ops),
    clients: Number(values.clients),
    nativeClients: Number(values['native-clients']),
    keys: Number(values.keys),
    longestMs: Number(values.minutes) * 60_000,
    deadlineMs: 15_000,
    startSidecars: (port) =>
      Promise.all([
        ...SIDECARS.map((metadata) => startProcess(port, metadata)),
        startPlainClient(port),
      ]),
    watchServer: true,
    onMinute: (begun) => process.stderr.write(`${begun} operations have begun\n`),
  });
  process.stdout.write(toTable(report));
  for (const violation of report.violations.slice(0, 10)) process.stdout.write(`\n${violation}\n`);
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 1;
});
