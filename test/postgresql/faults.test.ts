import type { Client } from 'pg';

import { createAttempt } from '../../src/lock/attempt';
import type { LockStore } from '../../src/lock/lock-store';
import { eventually } from '../support/eventually';
import { callOn, createStore, forever, isHeld, leaveRow, LONG_MS } from './store-fixture';
import { Scene } from './scene';

const scene = new Scene(['-c', 'max_connections=20']);

describe('a restart of the server', () => {
  it('loses no lock, and the store is back without help', async () => {
    const { store, logger } = await scene.open();
    const call = callOn();
    await store.tryLock(call, forever());
    await scene.server.kill();
    const failing = store.tryLock(callOn(), forever());
    await expect(failing).rejects.toMatchObject({ kind: 'unavailable', outcome: 'not-applied' });
    await scene.server.start();
    await eventually(() => store.ping(forever()));
    await expect(isHeld(store, call.key)).resolves.toBe(true);
    const release = { key: call.key, owner: 'a', attempt: createAttempt() };
    await expect(store.unlock(release, forever())).resolves.toBe('unlocked');
    expect(logger.messages('warning').concat(logger.messages('warn')).join()).toMatch(
      /Connection to PostgreSQL lost/,
    );
  });
});

describe('terminated backends', () => {
  it('give no false answer under load', async () => {
    const { store } = await scene.open();
    const keys = Array.from({ length: 200 }, () => callOn().key);
    const taking = keys.map((key) => store.tryLock(callOn({ key }), forever()));
    const settled = Promise.allSettled(taking);
    for (let times = 0; times < 5; times += 1) await scene.terminateAll();
    const answers = await settled;
    await eventually(() => store.ping(forever()));
    for (const [index, answer] of answers.entries()) {
      const held = await isHeld(store, keys[index]!);
      if (answer.status === 'fulfilled') expect(answer.value.acquired).toBe(true);
      if (answer.status === 'fulfilled') expect(held).toBe(true);
      else if ((answer.reason as { outcome: string }).outcome === 'not-applied') {
        expect(held).toBe(false);
      }
    }
  });
});

describe('a lost reply', () => {
  const lose = async (act: (store: LockStore) => Promise<unknown>) => {
    const { store } = await scene.open({ timeout: '400ms' }, scene.throughProxy);
    await store.ping(forever());
    scene.proxy.dropReplies = true;
    const answer = act(store);
    setTimeout(() => {
      scene.proxy.heal();
    }, 300);
    return answer;
  };

  it('of a grant is found out by the repetition', async () => {
    await expect(lose((store) => store.tryLock(callOn(), forever()))).resolves.toMatchObject({
      acquired: true,
    });
  });

  it('of an unlock is found out, too', async () => {
    const { key } = callOn();
    const { store: other } = await scene.open();
    await other.tryLock(callOn({ key }), forever());
    const release = { key, owner: 'a', attempt: createAttempt() };
    await expect(lose((store) => store.unlock(release, forever()))).resolves.toBe('unlocked');
  });

  it('for good is withdrawn, and what arrives after that has no effect', async () => {
    const { store } = await scene.open({ timeout: '400ms' }, scene.throughProxy);
    await store.ping(forever());
    const gone = new AbortController();
    const call = callOn();
    scene.proxy.holdRequests = true;
    const failing = store.tryLock(call, gone.signal);
    await eventually(() => {
      expect(scene.proxy.isHolding).toBe(true);
    });
    gone.abort();
    await expect(failing).rejects.toMatchObject({ outcome: 'unknown' });
    scene.proxy.holdRequests = false;
    await store.withdraw(call);
    scene.proxy.deliverHeld();
    const { store: other } = await scene.open();
    // The statement reaches the server now, and finds the mark.
    await eventually(async () => {
      const [row] = await scene.server.query(
        `SELECT count(*)::int FROM pg_stat_activity WHERE state = 'active' AND application_name = 'holdfast'`,
      );
      expect(row).toEqual({ count: 0 });
    });
    await expect(isHeld(other, call.key)).resolves.toBe(false);
  });
});

describe('a row that somebody has locked', () => {
  it('is named as the reason, and the call has no effect', async () => {
    const { store } = await scene.open({ timeout: '500ms' });
    const { key } = callOn();
    await leaveRow(store, key);
    const other = await scene.connect();
    await other.query('BEGIN');
    await other.query('SELECT * FROM holdfast_locks FOR UPDATE');
    const failing = store.tryLock(callOn({ key }), forever());
    await expect(failing).rejects.toMatchObject({ kind: 'unavailable', outcome: 'not-applied' });
    await expect(failing).rejects.toThrow('another session has locked the row');
    await other.query('ROLLBACK');
    await expect(isHeld(store, key)).resolves.toBe(false);
  });

  it('delays a grant, whose lease and token count from after the wait', async () => {
    const { store } = await scene.open();
    const { key } = callOn();
    await leaveRow(store, key);
    const other = await scene.connect();
    await other.query('BEGIN');
    await other.query('SELECT * FROM holdfast_locks FOR UPDATE');
    const taking = store.tryLock(callOn({ key, ttlMs: 5000 }), forever());
    await other.query('SELECT pg_sleep(0.5)');
    const { rows } = await other.query<{ now: string }>(
      'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now',
    );
    await other.query('COMMIT');
    const { grant } = await taking;
    expect(grant!.fencingToken).toBeGreaterThan(Number(rows[0]!.now));
  });
});

describe('a synchronous standby that is away', () => {
  const CANCEL_WAITS = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`;

  /** Commits wait from when the checkpointer has read the setting, which no view shows: seen by those of a table. */
  const takeStandbyAway = async () => {
    const writer = await scene.connect();
    await writer.query('CREATE TABLE probes (n int)');
    scene.after(async () => {
      await scene.server.query('ALTER SYSTEM RESET synchronous_standby_names');
      await scene.server.query('SELECT pg_reload_conf()');
      await scene.server.query('DROP TABLE probes');
    });
    await scene.server.query(`ALTER SYSTEM SET synchronous_standby_names = 'nobody'`);
    await scene.server.query('SELECT pg_reload_conf()');
    await eventually(async () => {
      let isDone = false;
      const writing = writer.query('INSERT INTO probes VALUES (1)').finally(() => {
        isDone = true;
      });
      const waits = await eventually(async () => {
        const rows = await scene.server.query(CANCEL_WAITS);
        expect(isDone || rows.length > 0).toBe(true);
        return rows.length > 0;
      });
      await writing;
      expect(waits).toBe(true);
    });
  };

  it('keeps a grant unconfirmed, though somebody cancels the wait', async () => {
    // More than the looks at the server take on a busy machine.
    const { store } = await scene.open({ timeout: '15s' });
    await takeStandbyAway();
    const call = callOn();
    let answered = false;
    const taking = store.tryLock(call, forever()).finally(() => {
      answered = true;
    });
    await eventually(async () => {
      expect(await scene.server.query(CANCEL_WAITS)).toHaveLength(1);
    });
    // The repetition waits as well.
    await eventually(async () => {
      const rows = await scene.server.query(
        `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
      );
      expect(rows).toHaveLength(1);
    });
    expect(answered).toBe(false);
    await scene.server.query('ALTER SYSTEM RESET synchronous_standby_names');
    await scene.server.query('SELECT pg_reload_conf()');
    await expect(taking).resolves.toMatchObject({ acquired: true });
  });
});

describe('a server without room for more connections', () => {
  it('goes on to serve with those that there are', async () => {
    const { store } = await scene.open();
    const others: Client[] = [];
    for (;;) {
      try {
        others.push(await scene.connect());
      } catch {
        break;
      }
    }
    const calls = Array.from({ length: 50 }, () => store.tryLock(callOn(), forever()));
    const answers = await Promise.all(calls);
    expect(answers.every(({ acquired }) => acquired)).toBe(true);
    const late = createStore(scene.server.connectionString);
    scene.after(() => late.store.close());
    const opening = late.store.init(AbortSignal.timeout(300));
    await expect(opening).rejects.toThrow('PostgreSQL accepts no more connections');
    await expect(opening).rejects.toMatchObject({ kind: 'unavailable' });
    await Promise.all(others.map((other) => other.end()));
  });
});

describe('tokens and sweeps', () => {
  it('rise though rows are deleted and the clock has been ahead', async () => {
    const { store } = await scene.open();
    const { key } = callOn();
    await leaveRow(store, key);
    const ahead = Date.now() * 1000 + 3_600_000_000;
    await scene.server.query(
      `UPDATE holdfast_locks SET token = $1, ends_at = now() - interval '1 hour' WHERE key = $2`,
      [ahead, Buffer.from(key)],
    );
    await scene.server.query('SELECT holdfast_locks_sweep_v1()');
    const rows = await scene.server.query('SELECT * FROM holdfast_locks WHERE key = $1', [
      Buffer.from(key),
    ]);
    expect(rows).toEqual([]);
    const { grant } = await store.tryLock(callOn({ key }), forever());
    expect(grant!.fencingToken).toBeGreaterThan(ahead);
  });

  it('leave nothing of locks, attempts and waiters that are over', async () => {
    const { store } = await scene.open();
    const call = callOn();
    await store.tryLock(call, forever());
    const waiter = { ...callOn({ key: call.key }), waitUntilMs: performance.now() + LONG_MS };
    await store.queue!.ask(waiter, forever());
    await store.withdraw(call);
    await store.unlock({ ...call, attempt: createAttempt() }, forever());
    await scene.server.query(`UPDATE holdfast_locks SET ends_at = now() - interval '1 hour'`);
    await scene.server.query(
      `UPDATE holdfast_locks_marks SET kept_until = now() - interval '1 hour'`,
    );
    await scene.server.query(
      `UPDATE holdfast_locks_sidecars SET present_until = now() - interval '1 hour'`,
    );
    await scene.server.query('SELECT holdfast_locks_sweep_v1()');
    for (const table of ['', '_marks', '_tickets', '_sidecars']) {
      const [row] = await scene.server.query(`SELECT count(*)::int FROM holdfast_locks${table}`);
      expect([table, row]).toEqual([table, { count: 0 }]);
    }
  });
});

it('no connection string and no password reaches the log', async () => {
  await scene.server.query(`CREATE ROLE strange LOGIN PASSWORD 'other'`);
  const url = scene.server.connectionString.replace('postgres@', 'postgres:hunter2@');
  const { store, logger } = await scene.open({}, url);
  await scene.terminateAll();
  await eventually(() => store.ping(forever()));
  expect(JSON.stringify(logger.lines)).not.toContain('hunter2');
});
