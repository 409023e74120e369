import type { LockStore } from '../../src/lock/lock-store';
import { describeLeases } from '../conformance/leases';
import { describeLockStore } from '../conformance/lock-store';
import { describeViews } from '../conformance/views';
import { eventually } from '../support/eventually';
import { Pgbouncer } from '../support/pgbouncer';
import { type PostgresqlServer, startPostgresqlServer } from '../support/postgresql-server';
import { callOn, createStore, forever, LONG_MS } from './store-fixture';

let server: PostgresqlServer;
let pooler: Pgbouncer;
beforeAll(async () => {
  server = await startPostgresqlServer();
  pooler = await Pgbouncer.start(server);
});
afterAll(async () => {
  await pooler.stop();
  await server.stop();
});

const create = (): LockStore => createStore(pooler.connectionString).store;
describeLockStore('lock.postgresql behind PgBouncer', create);
describeLeases('lock.postgresql behind PgBouncer', create);
describeViews('lock.postgresql behind PgBouncer', create);

describe('waiting behind PgBouncer', () => {
  it('works by looking, and says so once', async () => {
    const { store, logger } = createStore(pooler.connectionString);
    try {
      await store.init(forever());
      const call = callOn();
      await store.tryLock(call, forever());
      const waiter = { ...callOn({ key: call.key }), waitUntilMs: performance.now() + LONG_MS };
      await expect(store.queue!.ask(waiter, forever())).resolves.toMatchObject({ state: 'queued' });
      await store.withdraw(call);
      await eventually(async () => {
        const free = await store.queue!.refresh([call.key], forever());
        expect(free).toEqual([call.key]);
      });
      await expect(store.queue!.ask(waiter, forever())).resolves.toMatchObject({
        state: 'granted',
      });
      const warnings = logger.messages('warn');
      expect(warnings.filter((line) => line.includes('Wake-ups do not work'))).toHaveLength(1);
      expect(warnings.filter((line) => line.includes('A pooler takes no time-outs'))).toHaveLength(
        1,
      );
    } finally {
      await store.close();
    }
  });

  it('leaves nothing behind in the connections of the pooler', async () => {
    const rows = await server.query(
      `SELECT count(*)::int FROM pg_prepared_statements UNION ALL SELECT count(*)::int FROM pg_locks
       WHERE locktype = 'advisory'`,
    );
    expect(rows).toEqual([{ count: 0 }, { count: 0 }]);
  });
});
