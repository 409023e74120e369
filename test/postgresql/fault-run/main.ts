import { setTimeout as pause } from 'node:timers/promises';

import { Client } from 'pg';

import { startInProcess } from '../../faults/in-process-sidecar';
import type { SidecarUnderTest } from '../../faults/sidecar-under-test';
import type { ServerProbe } from '../../faults/stall-watch';
import { openScene, runStoreFaults } from '../../faults/store-fault-run';
import { eventually } from '../../support/eventually';
import { type PostgresqlServer, startPostgresqlServer } from '../../support/postgresql-server';
import { createStore } from '../store-fixture';
import { POSTGRESQL_FAULTS } from './faults';

/** Time-outs of the sidecars of a run, in milliseconds: the default, and short ones that give many unknown outcomes. */
const TIMEOUTS_MS = [3000, 400, 150] as const;

/** The failures that a call may report as certain under these faults. Any other is a mistake. */
const REFUSALS =
  /can't be reached|is starting or stopping|has locked the row|ended the statement|caller (?:has gone|is no longer waiting)|too late|store is closed|was withdrawn|is stopping|the wait is over|^not sent/;

/** How long a withdrawn lock, or a lease, may stay once everything is whole and quiet, in milliseconds. */
const LEFT_MS = 4000;

/** How long a start may take, in milliseconds. */
const START_MS = 30_000;

runStoreFaults(
  {
    name: 'test:postgresql-faults',
    description: 'Checks that lock histories stay valid while PostgreSQL and the network break.',
    example: '--ops 100000 --seed 7 --minutes 10',
  },
  async () => {
    const server = await startPostgresqlServer();
    return openScene(server, async (sidecars) => {
      await createTables(server);
      for (const timeoutMs of TIMEOUTS_MS) sidecars.push(await start(server, timeoutMs));
      return {
        ...{ faults: POSTGRESQL_FAULTS, refusals: REFUSALS },
        probe: createProbe(server),
        findLeftovers: () => findLeftovers(server),
      };
    });
  },
);

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
function start(server: PostgresqlServer, timeoutMs: number): Promise<SidecarUnderTest> {
  const timeout = `${timeoutMs}ms`;
  const open = (): Promise<SidecarUnderTest> =>
    startInProcess(server.port, (port) => createStore(urlOf(port), { timeout }).store, timeoutMs);
  return eventually(open, { withinMs: START_MS });
}

/** Asks over a connection of its own, which is opened again when it has ended. */
function createProbe({ port }: PostgresqlServer): ServerProbe {
  let client: Client | undefined;
  const connect = async (): Promise<Client> => {
    const opened = new Client({ connectionString: urlOf(port), application_name: 'probe' });
    opened.on('error', () => undefined);
    opened.on('end', () => {
      client = undefined;
    });
    await opened.connect();
    return opened;
  };
  return {
    async ask() {
      client ??= await connect();
      await client.query('SELECT 1');
    },
    close() {
      client?.end().catch(() => undefined);
    },
  };
}

function urlOf(port: number): string {
  return `postgresql://postgres@127.0.0.1:${port}/postgres?sslmode=disable`;
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
