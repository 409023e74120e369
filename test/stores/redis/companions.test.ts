import { createAttempt } from '../../../src/lock/attempt';
import type { TryLockCall } from '../../../src/lock/lock-store';
import { LockCommands } from '../../../src/stores/redis/lock-commands';
import { REPLY } from '../../../src/stores/redis/scripts';
import { toCompanionKey } from '../../../src/stores/redis/side-keys';
import { type RedisServer, startRedisServer } from '../../support/redis-server';

type Client = Parameters<LockCommands['withdraw']>[0];

const commands = new LockCommands();

/** A first, or a repeated, send that may take effect in the next minute. */
const stamp = (number: number) => {
  const inAMinute = Date.now() + 60_000;
  return { number, notAfterMs: inAMinute, markUntilMs: inAMinute };
};

/** Waits until the server's clock is later by some ms: before Redis 7 expiries are told to 2 ms. */
const laterBy = async (client: Client, ms: number): Promise<void> => {
  const now = async () => {
    const [seconds, microseconds] = (await client.time()).map(Number) as [number, number];
    return seconds * 1000 + microseconds / 1000;
  };
  const end = (await now()) + ms;
  while ((await now()) < end);
};

/** What may become of a lock, other than by Holdfast, while its companion stands. */
const CHANGES: Readonly<Record<string, (client: Client, call: TryLockCall) => Promise<unknown>>> = {
  'a daprd has taken it since, by the same owner name': async (client, { key, owner }) => {
    await client.del(key);
    await laterBy(client, 5);
    await client.set(key, owner, { condition: 'NX', expiration: { type: 'EX', value: 60 } });
  },
  'a daprd has taken it for longer': async (client, { key, owner }) => {
    await client.del(key);
    await client.set(key, owner, { condition: 'NX', expiration: { type: 'EX', value: 600 } });
  },
  'it was prolonged by hand': (client, { key }) => client.pExpire(key, 120_000),
  'it was shortened by hand': (client, { key }) => client.pExpire(key, 30_000),
  'its expiry was taken away by hand': (client, { key }) => client.persist(key),
  'it was given to another by hand': (client, { key }) =>
    client.set(key, 'b', { expiration: 'KEEPTTL' }),
  'the companion is of another attempt': (client, { key }) =>
    client
      .pExpireTime(key)
      .then((expiry) => client.set(toCompanionKey(key), `${createAttempt().id}:${expiry}`)),
  'the companion is no note': (client, { key }) => client.set(toCompanionKey(key), 'x'),
  'the companion is gone': (client, { key }) => client.del(toCompanionKey(key)),
};

describe('a companion', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis.stop());

  /** A lock that was taken by the first send of an attempt. */
  const withLock = (act: (client: Client, call: TryLockCall) => Promise<void>) =>
    redis.inspect(async (each) => {
      const client = each;
      const attempt = createAttempt();
      const call = { key: `lock||myapp||${attempt.id}`, owner: 'a', ttlMs: 60_000, attempt };
      expect(await commands.acquire(client, call, stamp(0))).toBe(REPLY.acquired);
      await act(client, call);
    });

  it('tells a repeated try and a withdrawal that the attempt holds the lock', async () => {
    await withLock(async (client, call) => {
      expect(await commands.acquire(client, call, stamp(1))).toBe(REPLY.acquired);
      expect(await commands.withdraw(client, call, stamp(2).notAfterMs)).toBe(REPLY.withdrawn);
      expect(await client.exists(call.key)).toBe(0);
    });
  });

  describe.each(Object.entries(CHANGES))('does not count where %s', (_, change) => {
    it('for a repeated try', async () => {
      await withLock(async (client, call) => {
        await change(client, call);
        const before = await client.get(call.key);
        expect(await commands.acquire(client, call, stamp(1))).toBe(REPLY.refused);
        expect(await client.get(call.key)).toBe(before);
      });
    });

    it('for a withdrawal', async () => {
      await withLock(async (client, call) => {
        await change(client, call);
        const before = await client.get(call.key);
        const reply = await commands.withdraw(client, call, stamp(2).notAfterMs);
        expect(reply).toBe(REPLY.nothingToWithdraw);
        expect(await client.get(call.key)).toBe(before);
      });
    });
  });

  it('goes with its lock when that is released, whether it counts or not', async () => {
    await withLock(async (client, call) => {
      await client.pExpire(call.key, 120_000);
      const release = { ...call, attempt: createAttempt() };
      expect(await commands.release(client, release, stamp(0))).toBe(REPLY.unlocked);
      expect(await client.exists([call.key, toCompanionKey(call.key)])).toBe(0);
    });
  });
});
