import { randomUUID } from 'node:crypto';

import { Acquire } from '../../src/stores/postgresql/lock-calls';
import { Statements, toLockId } from '../../src/stores/postgresql/statements';
import { type FunctionName, toTableNames } from '../../src/stores/postgresql/table-names';
import { type PostgresqlServer, startPostgresqlServer } from '../support/postgresql-server';
import { callOn, createStore, forever, LONG_MS } from './store-fixture';

const statements = new Statements(toTableNames('holdfast_locks')!, 10_000);

/** Nothing is written to disk before somebody asks for it. */
const LAZY = ['-c', 'synchronous_commit=off', '-c', 'wal_writer_delay=10s'];

let server: PostgresqlServer;
beforeAll(async () => {
  server = await startPostgresqlServer({ args: LAZY });
  // The first start writes the tables, which takes longer than its time-out on a busy machine.
  const { store } = createStore(server.connectionString, { timeout: '30s' });
  await store.init(forever());
  await store.close();
}, 90_000);
afterAll(() => server.stop());

/** One send of a call, as it arrives at the server. Its parameters may be of another time. */
async function send(name: FunctionName, given: Readonly<Record<string, unknown>>) {
  const now = Date.now();
  const { text, values = [] } = statements.call(name, {
    ...{ p_owner: Buffer.from('a'), p_ttl: LONG_MS, p_number: 0 },
    ...{ p_not_after: now + LONG_MS, p_mark_until: now + LONG_MS, p_deadline: now + LONG_MS },
    ...given,
  });
  const [row] = await server.query(text, values);
  return row?.reply;
}

const toLock = () => {
  const key = `lock||late||${randomUUID()}`;
  return { p_id: toLockId(key), p_key: Buffer.from(key), p_attempt: randomUUID() };
};
type Lock = ReturnType<typeof toLock>;
const again = (lock: Lock) => ({ ...lock, p_attempt: randomUUID() });

async function isHeld({ p_id: id }: Lock): Promise<boolean> {
  const rows = await server.query(
    'SELECT FROM holdfast_locks WHERE id = $1 AND owner IS NOT NULL AND ends_at > clock_timestamp()',
    [id],
  );
  return rows.length > 0;
}

describe('a send to PostgreSQL that arrives late', () => {
  it('takes nothing once its repetition was answered and the lock released', async () => {
    const lock = toLock();
    await expect(send('acquire', { ...lock, p_number: 1 })).resolves.toBe('granted');
    await expect(send('release', again(lock))).resolves.toBe('unlocked');
    await expect(send('acquire', lock)).resolves.toBe('superseded');
    await expect(isHeld(lock)).resolves.toBe(false);
  });

  it('releases no later lock of the same owner', async () => {
    const [lock, release] = [toLock(), randomUUID()];
    await send('acquire', lock);
    const sent = { ...lock, p_attempt: release };
    await expect(send('release', { ...sent, p_number: 1 })).resolves.toBe('unlocked');
    await send('acquire', again(lock));
    await expect(send('release', sent)).resolves.toBe('superseded');
    await expect(isHeld(lock)).resolves.toBe(true);
  });

  it('does nothing after its time', async () => {
    const lock = toLock();
    const late = { p_not_after: Date.now() - 1000 };
    await expect(send('acquire', { ...lock, ...late })).resolves.toBe('stale');
    await expect(isHeld(lock)).resolves.toBe(false);
    await send('acquire', lock);
    await expect(send('release', { ...again(lock), ...late })).resolves.toBe('stale');
    await expect(isHeld(lock)).resolves.toBe(true);
  });

  it('finds its mark after a sweep', async () => {
    const lock = toLock();
    await send('withdraw', lock);
    await send('sweep', {});
    await expect(send('acquire', lock)).resolves.toBe('superseded');
  });

  it('has a lease that counts from when it was sent', () => {
    const sentAtMs = performance.now() - 5000;
    const verdict = new Acquire(statements, callOn()).judge([['granted', '7']], sentAtMs);
    expect(verdict).toMatchObject({ answer: { acquired: true } });
    const { validUntilMs } = verdict as { readonly validUntilMs: number };
    expect(validUntilMs).toBeLessThanOrEqual(sentAtMs + LONG_MS);
  });
});

describe('a sweep', () => {
  it('leaves what is held', async () => {
    const lock = toLock();
    await send('acquire', { ...lock, p_ttl: 10_000 });
    await send('sweep', {});
    await expect(isHeld(lock)).resolves.toBe(true);
  });
});

describe('the tickets of a sidecar', () => {
  const sidecar = { p_sidecar: randomUUID(), p_session: 1 };
  /** Its presence ends then: a busy machine may take longer for a call than it lasts by itself. */
  const endPresence = (after: string) =>
    server.query('UPDATE holdfast_locks_sidecars SET present_until = clock_timestamp() + $1', [
      after,
    ]);

  it('are passed by once it is not present any more', async () => {
    const lock = toLock();
    await send('open', sidecar);
    await endPresence('1 hour');
    await send('acquire', lock);
    await expect(send('ask', { ...again(lock), ...sidecar })).resolves.toBe('queued');
    await send('release', again(lock));
    await expect(send('acquire', again(lock))).resolves.toBe('refused');
    await endPresence('-1 ms');
    await expect(send('acquire', again(lock))).resolves.toBe('granted');
  });

  it('are said to be gone by its next ask and its next refresh', async () => {
    await send('open', sidecar);
    await endPresence('-1 ms');
    await expect(send('ask', { ...toLock(), ...sidecar })).resolves.toBe('lapsed');
    await expect(send('refresh', { ...sidecar, p_ids: [] })).resolves.toBe('lapsed');
  });
});

describe('a grant', () => {
  it('is on disk when it is confirmed, though the server confirms before by default', async () => {
    const lock = toLock();
    await expect(send('acquire', lock)).resolves.toBe('granted');
    await server.kill();
    await server.start();
    await expect(isHeld(lock)).resolves.toBe(true);
  });
});
