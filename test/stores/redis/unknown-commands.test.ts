import { type RedisServer, startRedisServer } from '../../support/redis-server';
import { answerAll, createStore, FakeServer, noAbort, tryLockCall } from './redis-fixture';

/** Commands that a lock can do without, alone and together. */
const MISSING = [
  ['INFO'],
  ['EVALSHA'],
  ['TIME'],
  ['CLIENT'],
  ['ROLE'],
  ['PING'],
  ['HELLO'],
  ['CONFIG'],
  ['SCRIPT'],
  ['EVALSHA', 'SCRIPT'],
  ['EVALSHA', 'TIME'],
  ['INFO', 'EVALSHA', 'TIME', 'CLIENT', 'ROLE', 'PING', 'HELLO', 'CONFIG', 'SCRIPT', 'COMMAND'],
];

describe.each(MISSING.map((names) => [names.join(' and '), names] as const))(
  'a Redis without %s',
  (_title, names) => {
    let redis: RedisServer;
    beforeAll(async () => {
      const args = names.flatMap((name) => ['--rename-command', name, '']);
      redis = await startRedisServer({ args });
    });
    afterAll(() => redis.stop());

    it('keeps locks', async () => {
      const { store, logger } = createStore(redis.port);
      await store.init(noAbort());
      const [call, other] = [tryLockCall('k'), tryLockCall('k', 'b')];
      await expect(store.tryLock(call, noAbort())).resolves.toMatchObject({ acquired: true });
      await expect(store.tryLock(other, noAbort())).resolves.toEqual({ acquired: false });
      await expect(store.unlock(other, noAbort())).resolves.toBe('held_by_other');
      await expect(store.unlock(call, noAbort())).resolves.toBe('unlocked');
      await expect(store.unlock(tryLockCall('k'), noAbort())).resolves.toBe('not_found');
      const warnings = logger.messages('warn');
      expect(warnings).toHaveLength(names.includes('TIME') ? 1 : 0);
      await store.close();
    });
  },
);

describe('a Redis without TIME', () => {
  // Nothing in Redis tells such a lock from another of the same owner: see the docs on guarantees.
  it('is not asked for ever to take back a lock that was granted without it', async () => {
    const redis = await startRedisServer({ args: ['--rename-command', 'TIME', ''] });
    const { store, logger } = createStore(redis.port);
    try {
      await store.init(noAbort());
      const call = tryLockCall('k');
      await expect(store.tryLock(call, noAbort())).resolves.toMatchObject({ acquired: true });
      await store.withdraw(call);
      expect(logger.messages('warn')).toHaveLength(1);
      await redis.inspect(async (client) => {
        expect(await client.get('k')).toBe('a');
        expect(await client.info('commandstats')).not.toContain('cmdstat_eval');
      });
    } finally {
      await store.close();
      await redis.stop();
    }
  });
});

const REFUSED = new Set(['EVALSHA', 'PING', 'INFO']);

describe('the words of a managed offer for a command that it keeps to itself', () => {
  it.each([
    "ERR unknown command 'evalsha'",
    'ERR unknown command `EVALSHA`, with args beginning with: `abc`, `3`, `lock||myapp||k`, ',
    "ERR Command is not available: 'EVALSHA'",
    "ERR command 'EVALSHA' is not allowed",
    'ERR unsupported command',
    'ERR This command is disabled',
    "NOPERM this user has no permissions to run the 'evalsha' command",
  ])('%s', async (words) => {
    const served = answerAll(':1\r\n');
    const server = new FakeServer((socket, data) => {
      for (const [head, name = ''] of data.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        if (REFUSED.has(name)) socket.write(`-${words}\r\n`);
        else served(socket, head);
      }
    });
    const { store } = createStore(await server.listen());
    try {
      await store.init(noAbort());
      await expect(store.tryLock(tryLockCall('k'), noAbort())).resolves.toMatchObject({
        acquired: true,
      });
    } finally {
      await store.close();
      await server.close();
    }
  });

  it('quotes no owner where nothing can replace the command', async () => {
    const words = "ERR unknown command 'EVAL', with args beginning with: 'secret-owner' 'k' ";
    const server = new FakeServer(answerAll(`-${words}\r\n`));
    const { store } = createStore(await server.listen());
    await store.init(noAbort());
    await expect(store.tryLock(tryLockCall('k'), noAbort())).rejects.toMatchObject({
      kind: 'rejected',
      outcome: 'not-applied',
      message: "ERR unknown command 'EVAL'",
    });
    await store.close();
    await server.close();
  });
});
