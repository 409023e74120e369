import { setTimeout as pause } from 'node:timers/promises';

import { countOption, createScript, type ScriptValues } from '../support/long-run/script-command';
import { runScript, type ScriptRun } from '../support/long-run/script-run';
import { FailoverRun } from './failover-run';
import { ClusterFailovers, type FailoverSetup, SentinelFailovers } from './setups';

interface FailoverValues extends ScriptValues {
  readonly rounds: number;
  readonly callers: number;
  readonly cluster: boolean;
  readonly minReplicas: number;
}

const command = createScript({
  name: 'test:failover',
  description:
    'Real failovers under load: callers take and release locks while masters are killed, paused and demoted, behind Sentinel or in a cluster, which is also resharded. Tells what every promotion lost.',
  example: '--rounds 6 --callers 16',
})
  .addOption(countOption('--rounds <number>', 'how many failovers').default(3))
  .addOption(countOption('--callers <number>', 'how many call at a time').default(32))
  .addOption(countOption('--min-replicas <number>', 'minReplicasToAcknowledge', 0).default(0))
  .option('--cluster', 'a Redis Cluster instead of Sentinel', false);

/** Exit code 1 where a call was not answered in its time, or an answer was false about the server that gave it. */
async function main(values: FailoverValues, script: ScriptRun): Promise<void> {
  script.begin({ total: values.rounds, unit: 'failovers' });
  const totals = { acquired: 0, lost: 0, false: 0, late: 0, unknown: 0, calls: 0 };
  for (let round = 0; round < values.rounds; round += 1) {
    const create = values.cluster ? ClusterFailovers : SentinelFailovers;
    const way = create.ways[round % create.ways.length]!;
    script.advance(round, way);
    const setup: FailoverSetup = await create.start(values.minReplicas);
    const run = await FailoverRun.start(setup, values.callers);
    try {
      await pause(LOAD_MS);
      await setup.lose(way);
      await run.settle(LOAD_MS);
      const report = await run.finish();
      const promotions =
        report.promotions === 1 ? 'the promotion' : `${report.promotions} promotions`;
      script.print(
        `failover ${round + 1} (${way}): ${report.calls} calls, ${report.acquired} locks taken, ${report.unknown} outcomes unknown, slowest answer ${report.slowestMs} ms (deadline ${report.deadlineMs} ms), ${report.lost} leases lost by ${promotions}, ${report.false} false answers, ${report.late} late answers\n`,
      );
      for (const sentence of report.problems) script.print(`  ${sentence}\n`);
      totals.calls += report.calls;
      totals.acquired += report.acquired;
      totals.unknown += report.unknown;
      totals.lost += report.lost;
      totals.false += report.false;
      totals.late += report.late;
    } finally {
      await setup.stop();
    }
  }
  script.print(
    `${totals.calls} calls, ${totals.acquired} locks taken, ${totals.unknown} outcomes unknown, ${totals.lost} leases lost by promotions, ${totals.false} false answers, ${totals.late} late answers\n`,
  );
  process.exitCode = totals.false + totals.late === 0 ? 0 : 1;
}

/** How long there is load before a failover and after it, in milliseconds. */
const LOAD_MS = 2000;

void runScript(command, main);
