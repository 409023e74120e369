import { createAttempt } from '../../src/lock/attempt';
import type { LockStore } from '../../src/lock/lock-store';
import { eventually } from '../support/eventually';
import { type PostgresqlServer, startPostgresqlServer } from '../support/postgresql-server';
import { callOn, createStore, forever, isHeld, leaveRow, LONG_MS } from './store-fixture';

/**
 * A server whose clock is not ours: in a database whose search path begins with a schema of its own, that schema's
 * `clock_timestamp()` and `now()` are the ones that statements and functions call.
 */
const away = (by: string) => `
  CREATE SCHEMA clock;
  CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS $$ SELECT pg_catalog.clock_timestamp() + interval '${by}' $$;
  CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS $$ SELECT pg_catalog.now() + interval '${by}' $$;
  ALTER DATABASE postgres SET search_path = clock, pg_catalog, public`;

const open = async (server: PostgresqlServer): Promise<LockStore> => {
  const { store } = createStore(server.connectionString, { tableName: 'public.holdfast_locks' });
  await store.init(forever());
  return store;
};

describe.each(['1 hour', '-1 hour'])('a server whose clock differs from ours by %s', (by) => {
  let server: PostgresqlServer;
  let store: LockStore;
  beforeAll(async () => {
    server = await startPostgresqlServer();
    await server.query(away(by));
    store = await open(server);
  });
  afterAll(async () => {
    await store.close();
    await server.stop();
  });

  it('keeps leases for as long as they were asked for, and no longer', async () => {
    const call = callOn({ ttlMs: 1500 });
    const calledAtMs = performance.now();
    const { grant } = await store.tryLock(call, forever());
    expect(grant!.validUntilMs).toBeGreaterThan(calledAtMs + 1000);
    expect(grant!.validUntilMs).toBeLessThan(performance.now() + 1500);
    await expect(isHeld(store, call.key)).resolves.toBe(true);
    await eventually(() => expect(isHeld(store, call.key)).resolves.toBe(false));
  });

  it('renews and releases', async () => {
    const call = callOn();
    await store.tryLock(call, forever());
    const renewed = await store.leases!.renew({ ...call, ttlMs: 2 * LONG_MS }, forever());
    expect(renewed).toMatchObject({ status: 'renewed' });
    const release = { key: call.key, owner: 'a', attempt: createAttempt() };
    await expect(store.unlock(release, forever())).resolves.toBe('unlocked');
  });
});

describe('fencing tokens', () => {
  it('rise though the tables were lost', async () => {
    const server = await startPostgresqlServer();
    const { key } = callOn();
    const first = await open(server);
    await leaveRow(first, key);
    const { grant: before } = await first.tryLock(callOn({ key }), forever());
    await first.close();
    await server.query(
      ['locks', 'locks_marks', 'locks_tickets', 'locks_sidecars', 'locks_floor']
        .map((table) => `DROP TABLE holdfast_${table} CASCADE`)
        .join(';'),
    );
    const second = await open(server);
    const { grant: after } = await second.tryLock(callOn({ key }), forever());
    expect(after!.fencingToken).toBeGreaterThan(before!.fencingToken);
    await second.close();
    await server.stop();
  });
});
