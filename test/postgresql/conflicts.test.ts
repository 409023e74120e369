import { createAttempt } from '../../src/lock/attempt';
import { eventually } from '../support/eventually';
import { Scene, WAITING_FOR_A_ROW } from './scene';
import { callOn, forever, isHeld, leaveRow } from './store-fixture';

/** The time after which PostgreSQL looks for a deadlock: longer than a busy machine needs to make one. */
const DEADLOCK_TIMEOUT = '3s';

/** How often a statement runs that is rolled back each time. */
const MOST_RUNS = 6;

const scene = new Scene(['-c', `deadlock_timeout=${DEADLOCK_TIMEOUT}`]);

/** Lets the server fail statements that take or free a lock. Counts all of them: a sequence is not rolled back. */
async function failWith(state: string, times: number, seconds = 0): Promise<void> {
  await scene.server.query(`
    CREATE SEQUENCE conflicts;
    CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('public.conflicts') <= ${times} THEN
        PERFORM pg_sleep(${seconds});
        RAISE EXCEPTION USING ERRCODE = '${state}', MESSAGE = 'injected';
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER conflict BEFORE UPDATE ON holdfast_locks EXECUTE FUNCTION conflict()`);
  scene.after(() =>
    scene.server.query(`
      DROP TRIGGER conflict ON holdfast_locks;
      DROP FUNCTION conflict();
      DROP SEQUENCE conflicts`),
  );
}

async function countRuns(): Promise<number> {
  const [row] = await scene.server.query('SELECT last_value::int AS runs FROM conflicts');
  return row!.runs as number;
}

describe.each([
  ['40001', 'a serialization failure'],
  ['40P01', 'a deadlock'],
])('%s, %s,', (state) => {
  it('is not told to the caller where the repetition succeeds, and grants once', async () => {
    const { store } = await scene.open();
    const call = callOn();
    await leaveRow(store, call.key);
    await failWith(state, 3);
    const { acquired, grant } = await store.tryLock(call, forever());
    expect(acquired).toBe(true);
    await expect(countRuns()).resolves.toBe(4);
    const [row] = await scene.server.query(
      `SELECT token::float8 AS token, replace(attempt::text, '-', '') AS attempt
       FROM holdfast_locks WHERE key = $1`,
      [Buffer.from(call.key)],
    );
    expect(row).toEqual({ token: grant!.fencingToken, attempt: call.attempt.id });
  });

  it('is not told to the caller of an unlock either', async () => {
    const { store } = await scene.open();
    const call = callOn();
    await store.tryLock(call, forever());
    await failWith(state, 3);
    const release = { key: call.key, owner: 'a', attempt: createAttempt() };
    await expect(store.unlock(release, forever())).resolves.toBe('unlocked');
    await expect(isHeld(store, call.key)).resolves.toBe(false);
  });

  it('again and again fails the call, which has no effect', async () => {
    const { store } = await scene.open();
    const call = callOn();
    await leaveRow(store, call.key);
    await failWith(state, 1000);
    const failing = store.tryLock(call, forever());
    await expect(failing).rejects.toThrow(
      'PostgreSQL rolled the call back again and again: injected',
    );
    await expect(failing).rejects.toMatchObject({ kind: 'unavailable', outcome: 'not-applied' });
    await expect(countRuns()).resolves.toBe(MOST_RUNS);
    await expect(isHeld(store, call.key)).resolves.toBe(false);
  });
});

it('a call that is rolled back slowly ends with its time, and holds nothing after its withdrawal', async () => {
  const { store } = await scene.open({ timeout: '500ms' });
  const call = callOn();
  await leaveRow(store, call.key);
  await failWith('40001', 1000, 0.3);
  const gone = AbortSignal.timeout(1500);
  await expect(store.tryLock(call, gone)).rejects.toMatchObject({ name: 'StoreError' });
  await scene.server.query('ALTER TABLE holdfast_locks DISABLE TRIGGER conflict');
  await eventually(() => store.withdraw(call));
  const { store: other } = await scene.open();
  await expect(isHeld(other, call.key)).resolves.toBe(false);
});

it('a real deadlock with another session is survived by the call', async () => {
  const { store } = await scene.open({ timeout: '20s' });
  const { key } = callOn();
  await leaveRow(store, key);
  const other = await scene.connect();
  // The server ends the session that looks first.
  await other.query(`SET deadlock_timeout = '30s'`);
  await other.query('BEGIN');
  await other.query('LOCK TABLE holdfast_locks_marks IN ACCESS EXCLUSIVE MODE');
  const taking = store.tryLock(callOn({ key }), forever());
  await eventually(async () => {
    expect(await scene.server.query(WAITING_FOR_A_ROW)).toHaveLength(1);
  });
  await other.query('SELECT * FROM holdfast_locks FOR UPDATE');
  await other.query('ROLLBACK');
  await expect(taking).resolves.toMatchObject({ acquired: true });
  const [row] = await scene.server.query(
    `SELECT deadlocks::int FROM pg_stat_database WHERE datname = 'postgres'`,
  );
  expect(row).toEqual({ deadlocks: 1 });
}, 40_000);

describe('the settings of the connections of a store', () => {
  const settingsIn = async (): Promise<Record<string, unknown>> => {
    await scene.server.query(`
      CREATE TABLE seen (name text, setting text);
      CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.seen SELECT s.name, s.setting || coalesce(s.unit, '') FROM pg_settings s
          WHERE s.name IN ('statement_timeout', 'lock_timeout', 'synchronous_commit',
            'idle_in_transaction_session_timeout', 'transaction_isolation');
        RETURN NULL;
      END $$;
      CREATE TRIGGER see BEFORE UPDATE ON holdfast_locks EXECUTE FUNCTION see()`);
    scene.after(() =>
      scene.server.query(
        'DROP TRIGGER see ON holdfast_locks; DROP FUNCTION see(); DROP TABLE seen',
      ),
    );
    const { store } = await scene.open({ timeout: '2s' });
    await expect(store.tryLock(callOn(), forever())).resolves.toMatchObject({ acquired: true });
    const rows = await scene.server.query('SELECT DISTINCT name, setting FROM seen');
    return Object.fromEntries(rows.map(({ name, setting }) => [String(name), setting]));
  };

  it('end a statement, a wait for a row and an idle transaction before the call gives up', async () => {
    await scene.open();
    const settings = await settingsIn();
    expect(settings).toEqual({
      statement_timeout: '1800ms',
      lock_timeout: expect.stringMatching(/^\d+ms$/) as string,
      idle_in_transaction_session_timeout: '2000ms',
      synchronous_commit: 'on',
      transaction_isolation: 'read committed',
    });
    const lockMs = parseInt(String(settings.lock_timeout), 10);
    expect(lockMs).toBeGreaterThan(0);
    expect(lockMs).toBeLessThan(1800);
  });

  it('stand above what is set for the role and the database', async () => {
    await scene.open();
    const set = (verb: string) =>
      scene.server.query(`
        ALTER ROLE postgres ${verb} default_transaction_isolation ${verb === 'SET' ? '= serializable' : ''};
        ALTER DATABASE postgres ${verb} statement_timeout ${verb === 'SET' ? `= '50ms'` : ''};
        ALTER ROLE postgres ${verb} synchronous_commit ${verb === 'SET' ? '= off' : ''}`);
    await set('SET');
    scene.after(() => set('RESET'));
    await expect(settingsIn()).resolves.toMatchObject({
      statement_timeout: '1800ms',
      synchronous_commit: 'on',
      transaction_isolation: 'read committed',
    });
  });
});
