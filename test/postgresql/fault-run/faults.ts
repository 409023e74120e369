import { setTimeout as pause } from 'node:timers/promises';

import type { Fault } from '../../faults/injector';
import { NETWORK_FAULTS } from '../../faults/network-faults';
import type { PostgresqlServer } from '../../support/postgresql-server';

/** Every kind of fault of a run on PostgreSQL, by the name that the report gives it. */
export const POSTGRESQL_FAULTS: Readonly<Record<string, Fault<PostgresqlServer>>> = {
  ...NETWORK_FAULTS,
  'backends terminated': {
    isOfAll: true,
    run: async ({ server }) => {
      await server.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast'`,
      );
    },
  },
  'statements cancelled': {
    isOfAll: true,
    run: async ({ server }) => {
      await server.query(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast'`,
      );
    },
  },
  'table locked': {
    isOfAll: true,
    run: async ({ server, random }) => {
      const seconds = random.between(50, 600) / 1000;
      await server.query(
        `BEGIN; LOCK TABLE holdfast_locks IN EXCLUSIVE MODE; SELECT pg_sleep(${seconds}); COMMIT`,
      );
    },
  },
  sweep: {
    isOfAll: true,
    run: async ({ server }) => {
      await server.query('SELECT holdfast_locks_sweep_v1()');
    },
  },
  'crash of the server': {
    isOfAll: true,
    run: async ({ server, random }) => {
      await server.kill();
      await pause(random.between(0, 200));
      await server.start();
    },
  },
  'sidecar replaced': {
    run: async ({ sidecar }) => sidecar.mishaps?.restart('SIGTERM'),
  },
};
