import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

import type { LockStore } from '../../../src/lock/lock-store';
import { eventually } from '../../support/eventually';
import { type RedisServer, startRedisServer } from '../../support/redis-server';
import { TcpProxy } from '../../support/tcp-proxy';
import { createStore, noAbort, tryLockCall } from './redis-fixture';

/** How late replies were while the link's clock was read. */
const LAG_MS = 400;

/** How long the network is away after the unlock: longer than the call has left, less the lag. */
const AWAY_MS = 420;

describe('a link whose clock was read over a slow network', () => {
  let redis: RedisServer;
  let proxy: TcpProxy;
  let store: LockStore;
  beforeEach(async () => {
    redis = await startRedisServer({ args: ['--appendonly', 'no'] });
    proxy = await TcpProxy.start(redis.port);
    // As a component sets them, they bound the whole call.
    ({ store } = createStore(proxy.port, { readTimeout: '700ms', writeTimeout: '700ms' }));
  });
  afterEach(async () => {
    await store.close();
    await proxy.stop();
    await redis.stop();
  });

  it('lets the traces of an unlock stand for as long as it may be repeated', async () => {
    proxy.delayMs = LAG_MS / 2;
    await store.init(noAbort());
    proxy.heal();
    // Makes Redis know the script, so that the unlock is one command.
    await store.unlock(tryLockCall(randomUUID()), noAbort());
    const call = tryLockCall(`lock||myapp||${randomUUID()}`);
    await store.tryLock(call, noAbort());

    proxy.dropReplies = true;
    const unlocking = store.unlock(call, noAbort());
    await eventually(async () => {
      await expect(redis.inspect((client) => client.get(call.key))).resolves.toBeNull();
    });
    await pause(AWAY_MS);
    proxy.heal();
    proxy.cut();
    await expect(unlocking).resolves.toBe('unlocked');
  });
});
