import { createAttempt } from '../../../src/lock/attempt';
import { LockCommands } from '../../../src/stores/redis/lock-commands';
import { REPLY } from '../../../src/stores/redis/redis-script';
import { type RedisServer, startRedisServer } from '../../support/redis-server';
import { answerAll, createStore, FakeServer, noAbort, tryLockCall } from './redis-fixture';

const commands = new LockCommands();
const inAMinute = Date.now() + 60_000;
const stamp = (number: number) => ({ number, notAfterMs: inAMinute, markUntilMs: inAMinute });

/** A Redis that has a command, undefined where its version does not. */
async function startWith(name: string): Promise<RedisServer | undefined> {
  const redis = await startRedisServer();
  const found = await redis.inspect((client) => client.sendCommand(['COMMAND', 'INFO', name]));
  if (Array.isArray(found) && found[0] !== null) return redis;
  await redis.stop();
  return undefined;
}

/** A Redis that doesn't run one command: it is not there, or the user may not. */
const WITHOUT = {
  'renamed away': async (name: string) => {
    const redis = await startWith(name);
    if (redis === undefined) return startRedisServer();
    await redis.stop();
    return startRedisServer({ args: ['--rename-command', name, ''] });
  },
  forbidden: async (name: string) => {
    const redis = await startWith(name);
    if (redis === undefined) return startRedisServer();
    const acl = ['ACL', 'SETUSER', 'default', `-${name}`];
    await redis.inspect((client) => client.sendCommand(acl));
    return redis;
  },
};

describe.each(Object.entries(WITHOUT))('where PEXPIRETIME is %s', (_title, start) => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await start('pexpiretime');
  });
  afterAll(() => redis.stop());

  it('a repeated try and a withdrawal know their own lock all the same', async () => {
    await redis.inspect(async (client) => {
      const call = { ...tryLockCall('lock||myapp||k'), attempt: createAttempt() };
      const grant = await commands.acquire(client, call, stamp(0));
      expect(grant).toEqual({ fencingToken: expect.any(Number) as number });
      expect(await commands.acquire(client, call, stamp(1))).toEqual(grant);
      const other = { ...call, attempt: createAttempt() };
      expect(await commands.withdraw(client, other, inAMinute)).toBe(REPLY.nothingToWithdraw);
      expect(await commands.withdraw(client, call, inAMinute)).toBe(REPLY.withdrawn);
      expect(await client.exists(call.key)).toBe(0);
    });
  });
});

describe('where GET is missing', () => {
  it.each(Object.entries(WITHOUT))('a lock that was taken is answered so: %s', async (_, start) => {
    const redis = await start('get');
    const { store } = createStore(redis.port);
    await store.init(noAbort());
    const call = tryLockCall('lock||myapp||k');
    await expect(store.tryLock(call, noAbort())).resolves.toMatchObject({ acquired: true });
    await expect(store.unlock(call, noAbort())).rejects.toMatchObject({
      kind: 'rejected',
      outcome: 'not-applied',
    });
    await redis.inspect(async (client) => {
      expect(await client.exists(call.key)).toBe(1);
    });
    await store.close();
    await redis.stop();
  });
});

describe('a command that a script does not find', () => {
  it.each([
    'ERR Unknown Redis command called from script script: efa6, on @user_script:26.',
    'ERR Unknown command called from script script: on @user_script:26.',
    'ERR Error running script (call to f_efa6): @user_script:26: @user_script: 26: Unknown Redis command called from Lua script',
    "ERR unknown command 'EVAL', with args beginning with: 'secret-owner'",
  ])('ends a withdrawal, and is told once: %s', async (words) => {
    const server = new FakeServer(answerAll(`-${words}\r\n`));
    const { store, logger } = createStore(await server.listen());
    await store.init(noAbort());
    const call = tryLockCall('k');
    await expect(store.tryLock(call, noAbort())).rejects.toMatchObject({ kind: 'rejected' });
    await store.withdraw(call);
    const warnings = logger.messages('warn');
    expect(warnings).toEqual([expect.stringContaining("A lock attempt can't be withdrawn: ERR ")]);
    expect(warnings[0]).not.toContain('secret-owner');
    await store.close();
    await server.close();
  });
});
