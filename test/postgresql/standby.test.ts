import { eventually } from '../support/eventually';
import {
  type PostgresqlServer,
  startPostgresqlServer,
  startStandby,
} from '../support/postgresql-server';
import { callOn, createStore, forever, isHeld } from './store-fixture';

let primary: PostgresqlServer;
let standby: PostgresqlServer;
beforeAll(async () => {
  primary = await startPostgresqlServer();
  standby = await startStandby(primary);
}, 60_000);
afterAll(async () => {
  await standby.stop();
  await primary.stop();
});

it('a standby is waited for, with the reason', async () => {
  const { store, logger } = createStore(standby.connectionString);
  const opening = store.init(AbortSignal.timeout(500));
  await expect(opening).rejects.toThrow('this PostgreSQL is a read-only standby (127.0.0.1:');
  await expect(opening).rejects.toMatchObject({ kind: 'unavailable', outcome: 'not-applied' });
  await store.close();
  expect(logger.messages('warn')[0]).toMatch(/can't be reached yet.*read-only standby/);
});

it('of several hosts the one that accepts writes is used, also after a failover', async () => {
  const hosts = `127.0.0.1:${standby.port},127.0.0.1:${primary.port}`;
  const { store } = createStore(`postgresql://postgres@${hosts}/postgres?sslmode=disable`);
  try {
    await store.init(forever());
    const call = callOn();
    await store.tryLock(call, forever());
    await eventually(async () => {
      const rows = await standby.query('SELECT * FROM holdfast_locks WHERE owner IS NOT NULL');
      expect(rows).toHaveLength(1);
    });
    await primary.kill();
    await standby.query('SELECT pg_promote()');
    await eventually(() => store.ping(forever()));
    await expect(isHeld(store, call.key)).resolves.toBe(true);
    const { fencingToken } = (await store.views!.get(call.key, forever()))!;
    expect(fencingToken).toBeGreaterThan(0);
  } finally {
    await store.close();
  }
}, 60_000);
