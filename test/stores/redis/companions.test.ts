import { createAttempt } from '../../../src/lock/attempt';
import type { TryLockCall } from '../../../src/lock/lock-store';
import { LockCommands } from '../../../src/stores/redis/lock-commands';
import { REPLY } from '../../../src/stores/redis/redis-script';
import { toCompanionKey, toQueueKey } from '../../../src/stores/redis/side-keys';
import { eventually } from '../../support/eventually';
import { type RedisServer, startRedisServer } from '../../support/redis-server';
import { acquireScript, withdrawScript } from '../../support/plain-scripts';

type Client = Parameters<LockCommands['withdraw']>[0];

const commands = new LockCommands();
const GRANTED = { fencingToken: expect.any(Number) as number };

/** A moment that no test meets. */
const SOON = String(Date.now() + 600_000);

/** A first, or a repeated, send that may take effect in the next minute. */
const stamp = (number: number) => {
  const inAMinute = Date.now() + 60_000;
  return { number, notAfterMs: inAMinute, markUntilMs: inAMinute };
};

/** Before Redis 7 a key's expiry is known to 2 ms; a lock that is taken anew within them has the same. */
async function waitForAnotherExpiry(client: Client, key: string): Promise<void> {
  const left = await client.pTTL(key);
  await eventually(async () => {
    expect(await client.pTTL(key)).toBeLessThan(left - 5);
  });
}

/** Changes of a lock by others than Holdfast, while its companion key exists. */
const CHANGES: Readonly<Record<string, (client: Client, call: TryLockCall) => Promise<unknown>>> = {
  'a daprd has taken it since, by the same owner name': async (client, { key, owner }) => {
    await waitForAnotherExpiry(client, key);
    await client.del(key);
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
  'the companion is of another attempt': async (client, { key, attempt }) => {
    const note = (await client.get(toCompanionKey(key))) ?? '';
    await client.set(toCompanionKey(key), note.replace(attempt.id, createAttempt().id));
  },
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
      expect(await commands.acquire(client, call, stamp(0))).toEqual(GRANTED);
      await act(client, call);
    });

  it('tells a repeated try and a withdrawal that the attempt holds the lock', async () => {
    await withLock(async (client, call) => {
      expect(await commands.acquire(client, call, stamp(1))).toEqual(GRANTED);
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

  // Within one script time stands still: the last millisecond of a lease is met for certain.
  it.each([
    ['a withdrawal', withdrawScript, [SOON, ''], REPLY.nothingToWithdraw],
    ['a repeated try', acquireScript, ['60000', SOON, '1', SOON], REPLY.refused],
  ])(
    'counts for no lock without an expiry where only what is left is known (Redis 6): %s',
    async (_, script, args, reply) => {
      await redis.inspect(async (client) => {
        const { id } = createAttempt();
        const key = `lock||myapp||${id}`;
        const keys = [key, toCompanionKey(key), `marker ${id}`, toQueueKey(key)];
        const setUp = `
          local time = redis.call('time')
          local expiry = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + 1)
          redis.call('set', KEYS[1], ARGV[1])
          redis.call('set', KEYS[2], ARGV[2] .. ':' .. expiry)`;
        const answer = await client.eval(
          `${setUp}\ndo ${script.source.replaceAll('redis.REDIS_VERSION_NUM', 'nil')} end`,
          { keys, arguments: ['a', id, ...args] },
        );
        expect(answer).toBe(reply);
        expect(await client.get(key)).toBe('a');
      });
    },
  );

  it('goes with its lock when that is released, whether it counts or not', async () => {
    await withLock(async (client, call) => {
      await client.pExpire(call.key, 120_000);
      const release = { ...call, attempt: createAttempt() };
      expect(await commands.release(client, release, stamp(0))).toBe(REPLY.unlocked);
      expect(await client.exists([call.key, toCompanionKey(call.key)])).toBe(0);
    });
  });
});
