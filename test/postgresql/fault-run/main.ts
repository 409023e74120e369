import { setTimeout as pause } from 'node:timers/promises';

import { check, type FaultRunReport, toReport } from '../../faults/fault-run';
import { startInProcess } from '../../faults/in-process-sidecar';
import { CALM_MS, Injector } from '../../faults/injector';
import { observe, type ObserveOptions } from '../../faults/observe';
import { Random } from '../../faults/random';
import { toTable, toVerdict } from '../../faults/report-table';
import { newRunName, type SidecarUnderTest } from '../../faults/sidecar-under-test';
import { Workload } from '../../faults/workload';
import { eventually } from '../../support/eventually';
import {
  countOption,
  createScript,
  drawSeed,
  type ScriptValues,
  seedOption,
} from '../../support/long-run/script-command';
import { runScript, type ScriptRun } from '../../support/long-run/script-run';
import { type PostgresqlServer, startPostgresqlServer } from '../../support/postgresql-server';
import { createStore } from '../store-fixture';
import { POSTGRESQL_FAULTS } from './faults';

/** Time-outs of the sidecars of a run: the default, and short ones that give many unknown outcomes. */
const TIMEOUTS = ['3s', '400ms', '150ms'] as const;

/** The failures that a call may report as certain under these faults. Any other is a mistake. */
const REFUSALS =
  /can't be reached|is starting or stopping|has locked the row|ended the statement|caller (?:has gone|is no longer waiting)|too late|store is closed|was withdrawn|is stopping|the wait is over|^not sent/;

/** How long a withdrawn lock, or a lease, may stay once everything is whole and quiet, in milliseconds. */
const LEFT_MS = 4000;

/** How long a start may take, in milliseconds. */
const START_MS = 30_000;

interface FaultValues extends ScriptValues {
  readonly ops: number;
  readonly seed?: number;
  readonly minutes: number;
}

const command = createScript({
  name: 'test:postgresql-faults',
  description: 'Checks that lock histories stay valid while PostgreSQL and the network break.',
  example: '--ops 100000 --seed 7 --minutes 10',
})
  .addOption(countOption('--ops <number>', 'how many operations').default(100_000))
  .addOption(seedOption())
  .addOption(countOption('--minutes <number>', 'begins nothing more after so long').default(600));

/** The fault run on `lock.postgresql`. Exit code 1 where a history is not valid. */
async function main(values: FaultValues, run: ScriptRun): Promise<void> {
  const { ops: operations, seed = drawSeed() } = values;
  const longestMs = values.minutes * 60_000;
  run.print(`fault run: ${operations} operations, --seed ${seed} repeats the schedule\n`);
  run.begin({ total: operations, unit: 'operations', longestMs });
  const server = await startPostgresqlServer();
  const sidecars: SidecarUnderTest[] = [];
  try {
    await createTables(server);
    for (const timeout of TIMEOUTS) sidecars.push(await start(server, timeout));
    const onProgress = (begun: number): void => {
      run.advance(begun, begun < operations ? '' : 'checking');
    };
    const report = await judge({ server, sidecars, seed, operations, longestMs, onProgress });
    run.print(`${toOwnTable(report)}\n${toVerdict(report)}`);
    for (const violation of report.violations.slice(0, 10)) run.print(`\n${violation}\n`);
    process.exitCode = report.violations.length === 0 ? 0 : 1;
  } finally {
    for (const sidecar of sidecars) await sidecar.stop();
    await server.stop();
  }
}

/** The shortest time-out of a sidecar is less than the tables take on a busy machine. */
async function createTables({ port }: PostgresqlServer): Promise<void> {
  const { store } = createStore(urlOf(port), { timeout: '30s' });
  try {
    await store.init(AbortSignal.timeout(START_MS));
  } finally {
    await store.close();
  }
}

/** Starts a sidecar. It may need several looks at the tables where the machine is slower than its time-out. */
function start({ port: serverPort }: PostgresqlServer, timeout: string): Promise<SidecarUnderTest> {
  const open = (): Promise<SidecarUnderTest> =>
    startInProcess(serverPort, (port) => createStore(urlOf(port), { timeout }).store);
  return eventually(open, { withinMs: START_MS });
}

/** The table of the run on Redis, with the faults of this one. */
function toOwnTable(report: FaultRunReport): string {
  const rows = toTable(report)
    .split('\n')
    .filter((row) => !/fault: |MONITOR|daprd's own/.test(row));
  const faults = [...new Set(report.faults.map(({ kind }) => kind))].sort().map((kind) => {
    const count = report.faults.filter((fault) => fault.kind === kind).length;
    return `| fault: ${kind} | ${count} |`;
  });
  return `${[...rows.filter(Boolean), ...faults].join('\n')}\n`;
}

function urlOf(port: number): string {
  return `postgresql://postgres@127.0.0.1:${port}/postgres?sslmode=disable`;
}

interface RunOptions extends ObserveOptions {
  readonly server: PostgresqlServer;
  readonly seed: number;
  readonly operations: number;
}

async function judge(options: RunOptions): Promise<FaultRunReport> {
  const { server, sidecars, seed, operations } = options;
  const random = new Random(seed);
  const workload = new Workload({
    ...{ sidecars, clients: 24, nativeClients: 24, keys: 12, operations },
    ...{ deadlineMs: 15_000, random: random.fork(), run: newRunName() },
  });
  const injector = new Injector({
    ...{ server, sidecars, random: random.fork() },
    ...{ faults: POSTGRESQL_FAULTS, calmMs: CALM_MS },
  });
  const seen = await observe(workload, injector, options);
  return {
    ...toReport(seed, seen),
    serverEvents: 0,
    violations: [...check(seen, REFUSALS), ...(await findLeftovers(server))],
  };
}

/** Locks and tickets that stay when all leases are over and nobody waits. */
async function findLeftovers(server: PostgresqlServer): Promise<readonly string[]> {
  await pause(LEFT_MS);
  const rows = await server.query(
    `SELECT 'lock ' || convert_from(key, 'UTF8') AS what FROM holdfast_locks
       WHERE owner IS NOT NULL AND ends_at > clock_timestamp()
     UNION ALL SELECT 'ticket of ' || attempt FROM holdfast_locks_tickets t
       WHERE deadline > clock_timestamp() AND EXISTS (SELECT FROM holdfast_locks_sidecars s
         WHERE s.sidecar = t.sidecar AND s.present_until > clock_timestamp())`,
  );
  return rows.map(({ what }) => `${String(what)} stays though nobody uses it`);
}

void runScript(command, main);
