import { setTimeout as pause } from 'node:timers/promises';

import { eventually } from '../support/eventually';
import { callOn, forever, leaveRow, LONG_MS } from './store-fixture';
import { Scene, WAITING_FOR_A_ROW } from './scene';

const scene = new Scene(['-c', 'max_connections=20']);

describe('a handshake whose bytes are lost', () => {
  it('keeps nobody waiting for the whole dialTimeout', async () => {
    const { store } = await scene.open({ dialTimeout: '60s' }, scene.throughProxy);
    scene.proxy.dropRequests = true;
    scene.proxy.cut();
    await expect(store.ping(forever())).rejects.toMatchObject({ kind: 'unavailable' });
    // Until the first attempt to connect again has fallen silent.
    await pause(500);
    scene.proxy.heal();
    await eventually(() => store.ping(forever()), { withinMs: 20_000 });
  }, 40_000);

  it('leaves no connection behind, though it fell silent after the sign-in', async () => {
    const { store } = await scene.open({}, scene.throughProxy);
    const backends = (where: string) =>
      scene.server.query(
        `SELECT pid FROM pg_stat_activity WHERE application_name = 'holdfast' AND ${where}`,
      );
    const until = (where: string) =>
      eventually(async () => {
        expect(await backends(where)).not.toHaveLength(0);
      });
    scene.proxy.delayMs = 300;
    await scene.terminateAll();
    await until(`query = ''`);
    // The sign-in has been answered. The server states its facts next.
    await pause(50);
    scene.proxy.dropReplies = true;
    await until(`query LIKE 'SELECT pg_backend_pid%' AND state = 'idle'`);
    scene.proxy.heal();
    await eventually(() => store.ping(forever()), { withinMs: 10_000 });
    await eventually(
      async () => {
        expect(await backends('true')).toHaveLength(1);
      },
      { withinMs: 8000 },
    );
  }, 40_000);

  it('of one more connection fails neither the call that needs it nor another', async () => {
    const { store } = await scene.open({ dialTimeout: '60s', timeout: '10s' }, scene.throughProxy);
    const { key } = callOn();
    await leaveRow(store, key);
    const other = await scene.connect();
    await other.query('BEGIN');
    await other.query('SELECT * FROM holdfast_locks FOR UPDATE');
    // The one connection that there is waits for the row from here on.
    const first = store.tryLock(callOn({ key }), forever());
    await eventually(async () => {
      expect(await scene.server.query(WAITING_FOR_A_ROW)).toHaveLength(1);
    });
    scene.proxy.dropRequests = true;
    const second = store.tryLock(callOn(), forever());
    await pause(200);
    scene.proxy.heal();
    await expect(second).resolves.toMatchObject({ acquired: true });
    await other.query('COMMIT');
    await expect(first).resolves.toMatchObject({ acquired: true });
  }, 40_000);
});

describe('a connection for wake-ups that has fallen silent', () => {
  const listeners = async () =>
    (await scene.server.query(
      `SELECT pid, query FROM pg_stat_activity WHERE query LIKE 'LISTEN %'`,
    )) as {
      readonly pid: number;
      readonly query: string;
    }[];

  it('is noticed, and opened again', async () => {
    const { store } = await scene.open({ timeout: '1s' }, scene.throughProxy);
    const { key } = callOn();
    await store.tryLock(callOn({ key }), forever());
    const waiter = { ...callOn({ key }), waitUntilMs: performance.now() + LONG_MS };
    await store.queue!.ask(waiter, forever());
    const [before] = await eventually(async () => {
      const found = await listeners();
      expect(found).toHaveLength(1);
      return found;
    });
    // The proxy swallows the notification, and gives nothing more of that connection.
    scene.proxy.dropReplies = true;
    await scene.server.query(before!.query.replace('LISTEN', 'NOTIFY'));
    await pause(50);
    scene.proxy.heal();
    await eventually(
      async () => {
        const found = await listeners();
        expect(found.some(({ pid }) => pid !== before!.pid)).toBe(true);
      },
      { withinMs: 15_000 },
    );
  });
});
