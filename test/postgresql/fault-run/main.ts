import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { ClientLag } from '../../faults/client-lag';
import { check, type FaultRunReport } from '../../faults/fault-run';
import { toOperations } from '../../faults/holds';
import { startInProcess } from '../../faults/in-process-sidecar';
import { Random } from '../../faults/random';
import { toTable } from '../../faults/report-table';
import { newRunName, type SidecarUnderTest } from '../../faults/sidecar-under-test';
import { Workload } from '../../faults/workload';
import { type PostgresqlServer, startPostgresqlServer } from '../../support/postgresql-server';
import { createStore } from '../store-fixture';
import { PostgresqlInjector } from './injector';

/** Time-outs of the sidecars of a run: the default, and short ones that give many unknown outcomes. */
const TIMEOUTS = ['3s', '400ms', '150ms'] as const;

/** What a call may fail with for certain under these faults; anything else is a mistake. */
const REFUSALS =
  /can't be reached|is starting or stopping|has locked the row|ended the statement|caller (?:has gone|is no longer waiting)|too late|store is closed|was withdrawn|is stopping|the wait is over|^not sent/;

/** How long a withdrawn lock, or a lease, may stay once everything is whole and quiet, in milliseconds. */
const LEFT_MS = 4000;

/** `npm run test:postgresql-faults -- --ops N --seed S`: the fault run on `lock.postgresql`. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ops: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      minutes: { type: 'string', default: '600' },
    },
  });
  const seed = Number(values.seed);
  process.stdout.write(`fault run: ${values.ops} operations, --seed ${seed}\n`);
  const server = await startPostgresqlServer();
  const sidecars = await Promise.all(
    TIMEOUTS.map((timeout) =>
      startInProcess(server.port, (port) => createStore(urlOf(port), { timeout }).store),
    ),
  );
  try {
    const bounds = { operations: Number(values.ops), minutes: Number(values.minutes) };
    const report = await run({ server, sidecars, seed, ...bounds });
    process.stdout.write(toOwnTable(report));
    for (const violation of report.violations.slice(0, 10)) {
      process.stdout.write(`\n${violation}\n`);
    }
    process.exitCode = report.violations.length === 0 ? 0 : 1;
  } finally {
    for (const sidecar of sidecars) await sidecar.stop();
    await server.stop();
  }
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

interface RunOptions {
  readonly server: PostgresqlServer;
  readonly sidecars: readonly SidecarUnderTest[];
  readonly seed: number;
  readonly operations: number;
  readonly minutes: number;
}

async function run({ server, sidecars, seed, operations, minutes }: RunOptions) {
  const random = new Random(seed);
  const workload = new Workload({
    sidecars,
    clients: 24,
    nativeClients: 24,
    keys: 12,
    operations,
    deadlineMs: 15_000,
    random: random.fork(),
    run: newRunName(),
  });
  const injector = new PostgresqlInjector({ server, sidecars, random: random.fork() });
  const lag = new ClientLag();
  const cut = setTimeout(() => {
    workload.cut();
  }, minutes * 60_000);
  const startedAt = performance.now();
  injector.start();
  try {
    await workload.run();
  } finally {
    clearTimeout(cut);
    lag.stop();
    await injector.stop();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const { operations: calls, holds, nextPartId } = workload.recorder;
  const parts = holds.flatMap((hold) => toOperations(hold, nextPartId));
  const wallMs = Date.now() - performance.now();
  const account = {
    operations: [...calls, ...parts],
    holds,
    faults: injector.windows,
    stalls: lag.stalls,
    wallMs,
  };
  const report: FaultRunReport = {
    seed,
    operations: calls.filter(({ isPart }) => isPart !== true),
    holds,
    faults: injector.windows,
    stalls: lag.stalls.length,
    seconds,
    serverEvents: 0,
    violations: [...check(account, REFUSALS), ...(await findLeftovers(server))],
  };
  return report;
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

main().catch((error: unknown) => {
  process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 1;
});
