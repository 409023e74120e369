import { randomUUID } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';

import { DAPRD_RELEASE } from '../../support/daprd-commands';
import { eventually } from '../../support/eventually';
import { type RedisServer, startRedisServer } from '../../support/redis-server';
import {
  answerAll,
  createStore,
  FakeServer,
  noAbort,
  type StoreFixture,
  tryLockCall,
} from './redis-fixture';

describe('lock.redis', () => {
  let redis: RedisServer;
  let fixture: StoreFixture;
  let key: string;

  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    key = `lock||myapp||${randomUUID()}`;
    fixture = createStore(redis.port);
    await fixture.store.init(noAbort());
  });
  afterEach(() => fixture.store.close());

  const tryLock = async (owner = 'a') =>
    (await fixture.store.tryLock(tryLockCall(key, owner), noAbort())).acquired;
  const unlock = (owner = 'a') => fixture.store.unlock(tryLockCall(key, owner), noAbort());

  describe('what stands in Redis', () => {
    it('is the owner under the key, byte for byte', async () => {
      await tryLock('möglich-🔑\u0000');
      const stored = await redis.inspect((client) => client.get(key));
      expect(stored).toBe('möglich-🔑\u0000');
    });

    it('expires with the lease', async () => {
      await tryLock();
      const leftMs = await redis.inspect((client) => client.pTTL(key));
      expect(leftMs).toBeGreaterThan(55_000);
      expect(leftMs).toBeLessThanOrEqual(60_000);
    });

    it('is gone after the release', async () => {
      await tryLock();
      await unlock();
      await expect(redis.inspect((client) => client.exists(key))).resolves.toBe(0);
    });
  });

  describe('beside a daprd on the same Redis', () => {
    const daprdLock = (owner: string) =>
      redis.inspect((client) => client.sendCommand(['SET', key, owner, 'EX', '60', 'NX']));
    const daprdUnlock = (owner: string) =>
      redis.inspect((client) => client.eval(DAPRD_RELEASE, { keys: [key], arguments: [owner] }));

    it('refuses a lock that daprd holds', async () => {
      await daprdLock('d');
      await expect(tryLock()).resolves.toBe(false);
    });

    it('is refused by daprd while it holds the lock', async () => {
      await tryLock();
      await expect(daprdLock('d')).resolves.toBeNull();
    });

    it("releases daprd's lock for its owner only", async () => {
      await daprdLock('d');
      await expect(unlock('a')).resolves.toBe('held_by_other');
      await expect(unlock('d')).resolves.toBe('unlocked');
    });

    it('lets daprd release for the owner only', async () => {
      await tryLock('a');
      await expect(daprdUnlock('d')).resolves.toBe(-2);
      await expect(daprdUnlock('a')).resolves.toBe(1);
    });
  });

  describe('a Redis that forgets the release script', () => {
    it('is told it again after SCRIPT FLUSH', async () => {
      await tryLock();
      await redis.inspect((client) => client.scriptFlush());
      await expect(unlock()).resolves.toBe('unlocked');
    });

    it('gets it by its hash once it knows it', async () => {
      await tryLock();
      await unlock();
      await redis.inspect((client) => client.sendCommand(['CONFIG', 'RESETSTAT']));
      await unlock();
      const stats = await redis.inspect((client) => client.info('commandstats'));
      expect(stats).toContain('cmdstat_evalsha:calls=1');
      expect(stats).not.toContain('cmdstat_eval:');
    });
  });

  describe('a connection that is ended by the server', () => {
    it('is replaced, and the next call works', async () => {
      await redis.inspect((client) =>
        client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']),
      );
      await eventually(() => {
        expect(fixture.logger.messages('warn')).toHaveLength(1);
      });
      await expect(tryLock()).resolves.toBe(true);
    });
  });

  describe('a reply that comes after the lease', () => {
    it('is no success: the lock is taken anew, and counts from then', async () => {
      const expiryBefore = Date.now() + 300;
      redis.pause();
      const call = { ...tryLockCall(key), ttlMs: 300 };
      const answer = fixture.store.tryLock(call, noAbort());
      await pause(400);
      redis.resume();
      await expect(answer).resolves.toMatchObject({ acquired: true });
      const expiry = await redis.expiryOf(key);
      expect(expiry).toBeGreaterThan(expiryBefore + 300);
    });
  });
});

describe('lock.redis on a Redis that goes away', () => {
  let redis: RedisServer;
  let fixture: StoreFixture;
  const QUICK = { readTimeout: '300ms', writeTimeout: '300ms' };

  beforeEach(async () => {
    redis = await startRedisServer();
    fixture = createStore(redis.port, QUICK);
    await fixture.store.init(noAbort());
  });
  afterEach(async () => {
    redis.resume();
    await fixture.store.close();
    await redis.stop();
  });

  const tryLock = () => fixture.store.tryLock(tryLockCall('k'), noAbort());

  describe('by a crash', () => {
    beforeEach(async () => {
      await redis.kill();
      await eventually(() => {
        expect(fixture.logger.messages('warn')).toHaveLength(2);
      });
    });

    it('is reported as unavailable, and nothing was applied', async () => {
      await expect(tryLock()).rejects.toMatchObject({
        kind: 'unavailable',
        outcome: 'not-applied',
        message: expect.stringContaining("Redis can't be reached") as unknown,
      });
    });

    it('is served again by the first call after it is back', async () => {
      await tryLock().catch(() => undefined);
      await redis.start();
      await expect(tryLock()).resolves.toMatchObject({ acquired: true });
      await expect(fixture.store.unlock(tryLockCall('k'), noAbort())).resolves.toBe('unlocked');
    });

    it('stands in the log once: gone, why it stays away, and back', async () => {
      for (let call = 0; call < 5; call += 1) await tryLock().catch(() => undefined);
      await redis.start();
      await eventually(() => tryLock());
      expect([...fixture.logger.messages('warn'), ...fixture.logger.messages('info')]).toEqual([
        expect.stringMatching(/^Component lockstore: Connection to Redis lost: .*; reconnecting$/),
        expect.stringMatching(
          /^Component lockstore: Redis can't be reached: .*ECONNREFUSED.*; trying again$/,
        ),
        expect.stringMatching(/^Component lockstore: Redis is back after \d+ ms$/),
      ]);
      expect(fixture.logger.messages('error')).toEqual([]);
    });

    it('does not keep a closed store busy', async () => {
      await fixture.store.close();
      await redis.start();
      await expect(tryLock()).rejects.toMatchObject({ kind: 'closed' });
    });
  });

  describe('by a pause', () => {
    beforeEach(() => {
      redis.pause();
    });

    it('makes the outcome of a call unknown, and says so', async () => {
      await expect(tryLock()).rejects.toMatchObject({
        kind: 'deadline',
        outcome: 'unknown',
        message: expect.stringMatching(
          /^Redis did not reply within \d+ ms, the outcome is unknown: a lock may exist until \S+Z at the latest$/,
        ) as unknown,
      });
    });

    it('fails other calls of that connection as unknown too', async () => {
      const calls = [tryLock(), fixture.store.unlock(tryLockCall('k'), noAbort())];
      const results = await Promise.allSettled(calls);
      expect(results).toEqual([
        { status: 'rejected', reason: expect.objectContaining({ outcome: 'unknown' }) as unknown },
        { status: 'rejected', reason: expect.objectContaining({ outcome: 'unknown' }) as unknown },
      ]);
    });

    it('sends nothing more until Redis answers again', async () => {
      await tryLock().catch(() => undefined);
      await expect(tryLock()).rejects.toMatchObject({ outcome: 'not-applied' });
    });

    it('is over with the first call after Redis goes on', async () => {
      await tryLock().catch(() => undefined);
      redis.resume();
      // The first came too late to take effect: Redis ran it after its notAfter.
      await expect(tryLock()).resolves.toMatchObject({ acquired: true });
    });

    it('ends the wait of a caller that goes away', async () => {
      const gone = new AbortController();
      const answer = fixture.store.tryLock(tryLockCall('k'), gone.signal);
      await setImmediate();
      gone.abort();
      await expect(answer).rejects.toMatchObject({
        kind: 'deadline',
        outcome: 'unknown',
        message: expect.stringMatching(
          /^the caller is no longer waiting before Redis replied, the outcome is unknown: /,
        ) as unknown,
      });
    });
  });

  describe('by closing the store', () => {
    it('fails calls in flight as unknown', async () => {
      redis.pause();
      const answer = tryLock();
      await setImmediate();
      await fixture.store.close();
      await expect(answer).rejects.toMatchObject({ outcome: 'unknown' });
      expect(fixture.logger.messages('warn')).toContain(
        'Component lockstore: 1 lock calls in flight were cut off; the locks that they took stay until they expire',
      );
    });

    it('leaves no listener on the signal of its grace, which outlives it', async () => {
      const { signal } = new AbortController();
      const { store } = createStore(redis.port);
      await store.init(noAbort());
      await store.close(signal);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });

    it('refuses a withdrawal that comes after it', async () => {
      redis.pause();
      const call = tryLockCall('k');
      const answer = fixture.store.tryLock(call, noAbort());
      await setImmediate();
      await fixture.store.close();
      await answer.catch(() => undefined);
      await expect(fixture.store.withdraw(call)).rejects.toMatchObject({ kind: 'closed' });
    });
  });
});

describe('lock.redis on what is no Redis', () => {
  let server: FakeServer;
  let fixture: StoreFixture;
  afterEach(async () => {
    await fixture.store.close();
    await server.close();
  });

  it('gives up on a server that says nothing when its time is over', async () => {
    server = new FakeServer(() => undefined);
    fixture = createStore(await server.listen());
    await expect(fixture.store.init(AbortSignal.timeout(200))).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(
        /^error connecting to Redis: no answer in time \(127\.0\.0\.1:\d+\)$/,
      ) as unknown,
    });
  });

  it('gives up on a server that says nothing after dialTimeout', async () => {
    server = new FakeServer(() => undefined);
    fixture = createStore(await server.listen(), { dialTimeout: '100ms' });
    await expect(fixture.store.init(AbortSignal.timeout(400))).rejects.toThrow('no answer in time');
  });

  it('refuses a server that answers garbage', async () => {
    server = new FakeServer((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    fixture = createStore(await server.listen());
    await expect(fixture.store.init(noAbort())).rejects.toThrow('error connecting to Redis: ');
  });

  it('takes garbage for no answer: the outcome is unknown', async () => {
    server = new FakeServer(answerAll('garbage\r\n'));
    fixture = createStore(await server.listen());
    await fixture.store.init(noAbort());
    await expect(fixture.store.tryLock(tryLockCall('k'), noAbort())).rejects.toMatchObject({
      kind: 'protocol',
      outcome: 'unknown',
    });
  });

  it.each([
    ['tryLock', ':2\r\n'],
    ['unlock', '+OK\r\n'],
  ] as const)('takes a reply of the wrong kind to %s for no answer', async (method, reply) => {
    server = new FakeServer(answerAll(reply));
    fixture = createStore(await server.listen());
    await fixture.store.init(noAbort());
    await expect(fixture.store[method](tryLockCall('k'), noAbort())).rejects.toMatchObject({
      kind: 'protocol',
      outcome: 'unknown',
    });
  });
});
