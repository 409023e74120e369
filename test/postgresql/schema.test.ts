import { readFileSync } from 'node:fs';
import path from 'node:path';

import type { LockStore } from '../../src/lock/lock-store';
import { type PostgresqlServer, startPostgresqlServer } from '../support/postgresql-server';
import { callOn, createStore, forever } from './store-fixture';

const SQL = readFileSync(path.join(__dirname, '../../docs/postgresql-schema.sql'), 'utf8');

let server: PostgresqlServer;
const stores: LockStore[] = [];
beforeAll(async () => {
  server = await startPostgresqlServer();
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});
afterAll(() => server.stop());

/** Initialises a store of a user. Resolves with it, or rejects as init does. */
async function open(user: string, metadata: Readonly<Record<string, string>> = {}) {
  const { store, logger } = createStore(server.urlOf(user), metadata);
  stores.push(store);
  await store.init(forever());
  return { store, logger };
}

describe('schema: check', () => {
  beforeAll(() => server.query('CREATE ROLE holdfast LOGIN'));

  it('names everything that is missing, and where the statements are', async () => {
    const opening = open('holdfast', { schema: 'check' });
    await expect(opening).rejects.toMatchObject({ kind: 'rejected', outcome: 'not-applied' });
    await expect(opening).rejects.toThrow(
      /table "public"\."holdfast_locks" is missing, .*function "public"\."holdfast_locks_sweep_v1" is missing; docs\/postgresql-schema\.sql has the statements; or set schema to create$/,
    );
  });

  it('needs no more than the statements of the docs grant', async () => {
    await server.query(SQL);
    const { store } = await open('holdfast', { schema: 'check' });
    const call = callOn();
    const signal = forever();
    await expect(store.tryLock(call, signal)).resolves.toMatchObject({ acquired: true });
    await store.leases!.renew(call, signal);
    const waiter = { ...callOn({ key: call.key }), waitUntilMs: performance.now() + 5000 };
    await expect(store.queue!.ask(waiter, signal)).resolves.toMatchObject({ state: 'queued' });
    await expect(store.queue!.refresh([call.key], signal)).resolves.toEqual([]);
    await expect(
      store.views!.list({ keyPrefix: 'lock||test||', pageSize: 9 }, signal),
    ).resolves.toEqual(
      expect.objectContaining({ locks: [expect.objectContaining({ key: call.key, waiters: 1 })] }),
    );
    await store.queue!.leave(waiter);
    await store.withdraw(call);
    await server.query('SET ROLE holdfast; SELECT * FROM holdfast_locks_sweep_v1()');
  });

  it('may run its statements again', async () => {
    await server.query(SQL);
    const [row] = await server.query('SELECT count(*)::int FROM holdfast_locks_floor');
    expect(row).toEqual({ count: 1 });
  });

  it('tells what was changed or may not be used', async () => {
    await server.query('REVOKE DELETE ON holdfast_locks_marks FROM holdfast');
    await server.query('ALTER TABLE holdfast_locks SET UNLOGGED');
    await server.query(
      `CREATE OR REPLACE FUNCTION holdfast_locks_open_v1(p_sidecar uuid, p_session bigint, p_not_after bigint,
        p_wait integer, OUT reply text) LANGUAGE sql AS $$ SELECT 'opened' $$`,
    );
    const opening = open('holdfast', { schema: 'check' });
    await expect(opening).rejects.toThrow('"holdfast_locks" is not logged, so a crash empties it');
    await expect(opening).rejects.toThrow('"holdfast_locks_marks" lacks a permission of this user');
    await expect(opening).rejects.toThrow('holdfast_locks_open_v1" is not that of this version');
  });
});

describe('schema: create', () => {
  it('says that the user may not, and why', async () => {
    await server.query('CREATE ROLE poor LOGIN');
    const opening = open('poor', { tableName: 'poor' });
    await expect(opening).rejects.toMatchObject({ kind: 'rejected' });
    await expect(opening).rejects.toThrow(
      /can't be created: permission denied for schema public \(because of: table "public"\."poor" is missing/,
    );
  });

  it('says that the schema does not exist', async () => {
    const opening = open('postgres', { tableName: 'nowhere.locks' });
    await expect(opening).rejects.toThrow('schema "nowhere" does not exist');
  });

  it('is done once where twenty sidecars start together', async () => {
    await server.query('CREATE SCHEMA apart');
    const opening = Array.from({ length: 20 }, () =>
      open('postgres', { tableName: 'apart.locks', maxConns: '1' }),
    );
    await expect(Promise.all(opening)).resolves.toHaveLength(20);
    const [row] = await server.query('SELECT count(*)::int FROM apart.locks_floor');
    expect(row).toEqual({ count: 1 });
  });

  it('repairs a function of another text', async () => {
    await server.query('ALTER FUNCTION apart.locks_sweep_v1() RENAME TO locks_sweep_v0');
    const { store } = await open('postgres', { tableName: 'apart.locks' });
    await expect(store.tryLock(callOn(), forever())).resolves.toMatchObject({ acquired: true });
  });
});

it('another isolation level is refused by each function', async () => {
  await open('postgres', { tableName: 'plain' });
  const acquire = `SELECT * FROM plain_acquire_v1('a', 'a', 'o', gen_random_uuid(), 1, 1, 0, 1, 1)`;
  await expect(
    server.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; ${acquire}`),
  ).rejects.toMatchObject({ code: 'HF001' });
});

it('the options of the connection keep a role with another isolation level working', async () => {
  await server.query(`CREATE ROLE strict LOGIN SUPERUSER`);
  await server.query(`ALTER ROLE strict SET default_transaction_isolation = 'serializable'`);
  const { store } = await open('strict', { tableName: 'plain' });
  await expect(store.tryLock(callOn(), forever())).resolves.toMatchObject({ acquired: true });
});

it.each([
  [
    'a user that does not exist',
    'postgresql://nobody@',
    /refused the user or the password.*role "nobody"/,
  ],
  [
    'a database that does not exist',
    'postgresql://postgres@',
    /the database does not exist/,
    '/none',
  ],
  [
    'TLS that the server does not have',
    'postgresql://postgres@',
    /does not support SSL/,
    '/postgres?sslmode=require',
  ],
])('%s fails at once', async (_name, start, text, path = '/postgres?sslmode=disable') => {
  const { store } = createStore(`${start}127.0.0.1:${server.port}${path}`);
  const opening = store.init(forever());
  await expect(opening).rejects.toMatchObject({ kind: 'rejected' });
  await expect(opening).rejects.toThrow(text);
  await store.close();
});

it('without TLS on the server, prefer connects without', async () => {
  const { store } = createStore(`postgresql://postgres@127.0.0.1:${server.port}/postgres`, {
    tableName: 'plain',
  });
  stores.push(store);
  await store.init(forever());
});
