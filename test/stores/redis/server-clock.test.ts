import { startRedisServer } from '../../support/redis-server';
import { TcpProxy } from '../../support/tcp-proxy';
import { answerAll, createQuickStore, FakeServer, noAbort, tryLockCall } from './redis-fixture';

describe('a Redis whose clock has moved on', () => {
  it('is asked for the time again when it says that a send is stale', async () => {
    let [times, sends] = [0, 0];
    const answer = answerAll(':1\r\n');
    const server = new FakeServer((socket, data) => {
      times += data.split('TIME').length - 1;
      if (!data.includes('EVALSHA')) answer(socket, data);
      else socket.write((sends += 1) === 1 ? ':-3\r\n' : ':1\r\n');
    });
    const { store } = createQuickStore(await server.listen());
    await store.init(noAbort());
    await expect(store.tryLock(tryLockCall('k'), noAbort())).resolves.toMatchObject({
      acquired: true,
    });
    expect([times, sends]).toEqual([2, 2]);
    await store.close();
    await server.close();
  });
});

describe('a Redis that says that a send is stale and then falls silent', () => {
  it('has applied nothing, and that is what the call fails with', async () => {
    let isStale = false;
    const answer = answerAll(':1\r\n');
    const server = new FakeServer((socket, data) => {
      if (data.includes('EVALSHA')) {
        isStale = true;
        socket.write(':-3\r\n');
      } else if (!isStale) answer(socket, data);
    });
    const { store } = createQuickStore(await server.listen());
    await store.init(noAbort());
    await expect(store.tryLock(tryLockCall('k'), noAbort())).rejects.toMatchObject({
      outcome: 'not-applied',
      message: expect.stringMatching(/^Redis can't be reached: /) as unknown,
    });
    await store.close();
    await server.close();
  });
});

describe('a TryLock whose outcome stays unknown', () => {
  it('keeps its word that a lock may exist until a named time', async () => {
    const redis = await startRedisServer();
    const proxy = await TcpProxy.start(redis.port);
    const { store } = createQuickStore(proxy.port);
    await store.init(noAbort());
    const known = tryLockCall('known');
    await store.tryLock(known, noAbort());
    proxy.dropReplies = true;
    const call = { ...tryLockCall('k'), ttlMs: 5000 };
    const failure = await store.tryLock(call, noAbort()).then(
      () => '',
      (error: unknown) => (error as Error).message,
    );
    const latest = Date.parse(/until (\S+) at the latest$/.exec(failure)?.[1] ?? '');
    const expiry = await redis.expiryOf('k');
    expect(expiry).toBeLessThanOrEqual(latest);
    expect(expiry).toBeGreaterThan(Date.now());
    await store.close();
    await proxy.stop();
    await redis.stop();
  });
});
