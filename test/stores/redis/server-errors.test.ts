import { createAttempt } from '../../../src/lock/attempt';
import type { LockStore } from '../../../src/lock/lock-store';
import type { StoreAbilities } from '../../../src/lock/store-abilities';
import { findFreePort } from '../../support/free-port';
import { type RedisServer, startRedisServer } from '../../support/redis-server';
import {
  answerAll,
  createStore,
  FakeServer,
  noAbort,
  type StoreFixture,
  tryLockCall,
} from './redis-fixture';

describe('lock.redis at its init', () => {
  let redis: RedisServer | undefined;
  let fixture: StoreFixture;
  afterEach(async () => {
    await fixture.store.close();
    await redis?.stop();
    redis = undefined;
  });

  const initOn = async (args: readonly string[], metadata = {}): Promise<StoreFixture> => {
    redis = await startRedisServer({ args });
    fixture = createStore(redis.port, metadata);
    await fixture.store.init(noAbort());
    return fixture;
  };

  it('says why where nothing listens', async () => {
    fixture = createStore(await findFreePort());
    await expect(fixture.store.init(AbortSignal.timeout(300))).rejects.toThrow(
      /^error connecting to Redis: .*ECONNREFUSED/,
    );
  });

  it('works with the right password', async () => {
    await initOn(['--requirepass', 'sesame'], { redisPassword: 'sesame' });
    const result = await fixture.store.tryLock(tryLockCall('k'), noAbort());
    expect(result).toMatchObject({ acquired: true });
  });

  it.each([
    ['a wrong password', { redisPassword: 'wrong' }, 'WRONGPASS'],
    ['no password', {}, 'NOAUTH'],
  ])('refuses %s and keeps it secret', async (_name, metadata, reply) => {
    const failed = initOn(['--requirepass', 'sesame'], metadata);
    await expect(failed).rejects.toThrow(`error connecting to Redis: ${reply}`);
    await expect(failed).rejects.not.toThrow(/sesame|wrong$/);
  });

  it('refuses cluster mode', async () => {
    await expect(initOn(['--cluster-enabled', 'yes'])).rejects.toThrow(
      'this component does not support connecting to Redis Cluster',
    );
  });

  it('refuses a Redis with a connected replica', async () => {
    redis = await startRedisServer();
    const replica = await startRedisServer({
      args: ['--replicaof', '127.0.0.1', String(redis.port)],
    });
    try {
      await redis.inspect(async (client) => {
        while (!(await client.info('replication')).includes('connected_slaves:1')) {
          await client.ping();
        }
      });
      fixture = createStore(redis.port);
      await expect(fixture.store.init(noAbort())).rejects.toThrow('replication is not supported');
    } finally {
      await replica.stop();
    }
  });

  it('warns where memory that is full would evict locks', async () => {
    const { logger } = await initOn(['--maxmemory-policy', 'allkeys-lru']);
    expect(logger.messages('warn')).toEqual([expect.stringContaining('allkeys-lru')]);
  });

  it('selects the database', async () => {
    await initOn([], { redisDB: '3' });
    await fixture.store.tryLock(tryLockCall('k'), noAbort());
    const inDatabase = await redis!.inspect(async (client) => {
      await client.select(3);
      return client.get('k');
    });
    expect(inDatabase).toBe('a');
  });
});

describe('lock.redis with a narrow ACL', () => {
  let redis: RedisServer;
  let fixture: StoreFixture;
  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis.stop());
  afterEach(() => fixture.store.close());

  const initAs = async (rules: readonly string[]): Promise<void> => {
    await redis.inspect((client) =>
      client.sendCommand(['ACL', 'SETUSER', 'narrow', 'reset', 'on', '>pw', ...rules]),
    );
    fixture = createStore(redis.port, { redisUsername: 'narrow', redisPassword: 'pw' });
    await fixture.store.init(noAbort());
  };

  it('gets by with what daprd needs: set, eval, get and del on its own keys', async () => {
    await initAs(['~lock||*', '+set', '+eval', '+get', '+del']);
    const call = tryLockCall('lock||myapp||narrow');
    await expect(fixture.store.tryLock(call, noAbort())).resolves.toMatchObject({ acquired: true });
    await expect(fixture.store.unlock(call, noAbort())).resolves.toBe('unlocked');
    await expect(fixture.store.unlock(call, noAbort())).resolves.toBe('not_found');
  });

  it('warns that without TIME a lost reply stays unknown', async () => {
    await initAs(['~lock||*', '+set', '+eval', '+get', '+del']);
    expect(fixture.logger.messages('warn')).toEqual([
      expect.stringMatching(
        /^Component lockstore: The Redis user may not run TIME, or the server does not have it: /,
      ),
    ]);
  });

  it('releases no lock by a token without TIME, as it can only compare owners then', async () => {
    await initAs(['~lock||*', '+set', '+eval', '+get', '+del']);
    const { leases, views } = fixture.store as LockStore & Required<StoreAbilities>;
    const call = tryLockCall('lock||myapp||narrow');
    await fixture.store.tryLock(call, noAbort());
    const { key, owner } = call;
    const attempt = createAttempt();
    const byToken = leases.release({ key, owner, attempt, fencingToken: 1 }, noAbort());
    await expect(byToken).rejects.toMatchObject({ kind: 'unsupported', outcome: 'not-applied' });
    const grant = { fencingToken: 1 };
    const forced = views.forceRelease({ key, attempt: createAttempt(), grant }, noAbort());
    await expect(forced).rejects.toMatchObject({ kind: 'unsupported', outcome: 'not-applied' });
    await expect(redis.inspect((client) => client.get(key))).resolves.toBe(owner);
  });

  it('leaves nothing half done with TIME and no more than daprd needs', async () => {
    await initAs(['~lock||*', '+set', '+eval', '+get', '+del', '+time']);
    const call = tryLockCall('lock||myapp||timed');
    await expect(fixture.store.tryLock(call, noAbort())).resolves.toMatchObject({ acquired: true });
    await expect(fixture.store.unlock(call, noAbort())).resolves.toBe('unlocked');
    const left = await redis.inspect((client) => client.exists('lock||myapp||timed'));
    expect(left).toBe(0);
  });

  it.each([
    ['a command', ['~lock||*', '+evalsha', '+eval', '+get', '+time']],
    ['the key', ['~other||*', '+@all']],
  ])('says that a script lacks a permission for %s', async (_what, rules) => {
    await initAs(rules);
    const call = tryLockCall('lock||myapp||narrow');
    await expect(fixture.store.tryLock(call, noAbort())).rejects.toMatchObject({
      kind: 'rejected',
      outcome: 'not-applied',
      message: expect.stringMatching(/^the Redis user lacks a permission: /) as unknown,
    });
  });

  it('says which permission is missing', async () => {
    await initAs(['~lock||*', '+eval', '+get', '+del']);
    const call = tryLockCall('lock||myapp||narrow');
    await expect(fixture.store.tryLock(call, noAbort())).rejects.toMatchObject({
      kind: 'rejected',
      outcome: 'not-applied',
      message: expect.stringMatching(/^the Redis user lacks a permission: NOPERM/) as unknown,
    });
  });
});

describe('an error that Redis answers', () => {
  let redis: RedisServer;
  let fixture: StoreFixture;
  beforeEach(async () => {
    redis = await startRedisServer();
    fixture = createStore(redis.port);
    await fixture.store.init(noAbort());
  });
  afterEach(async () => {
    await fixture.store.close();
    await redis.stop();
  });

  const failsWith = (kind: string, message: RegExp) => ({
    kind,
    outcome: 'not-applied',
    message: expect.stringMatching(message) as unknown,
  });
  const command = (...args: string[]) => redis.inspect((client) => client.sendCommand(args));

  it('READONLY is unavailable', async () => {
    await command('REPLICAOF', '127.0.0.1', String(await findFreePort()));
    await expect(fixture.store.tryLock(tryLockCall('k'), noAbort())).rejects.toMatchObject(
      failsWith('unavailable', /^this Redis is a read-only replica: .*READONLY/),
    );
  });

  it('OOM is unavailable', async () => {
    await command('CONFIG', 'SET', 'maxmemory', '1');
    await expect(fixture.store.tryLock(tryLockCall('k'), noAbort())).rejects.toMatchObject(
      failsWith('unavailable', /^Redis has no memory left for another lock: .*OOM/),
    );
  });

  it('WRONGTYPE is rejected', async () => {
    await command('LPUSH', 'k', 'x');
    await expect(fixture.store.unlock(tryLockCall('k'), noAbort())).rejects.toMatchObject(
      failsWith('rejected', /^the key of the lock has a value of another type: .*WRONGTYPE/),
    );
  });

  it('BUSY is unavailable', async () => {
    await command('CONFIG', 'SET', 'lua-time-limit', '20');
    const endless = redis.inspect((client) => client.eval('while true do end'));
    endless.catch(() => undefined);
    await redis.inspect(async (client) => {
      for (;;) {
        const busy = await client.ping().then(
          () => false,
          (error: unknown) => String(error).includes('BUSY'),
        );
        if (busy) return;
      }
    });
    await expect(fixture.store.tryLock(tryLockCall('k'), noAbort())).rejects.toMatchObject(
      failsWith('unavailable', /^Redis is busy running a script: BUSY/),
    );
    await command('SCRIPT', 'KILL');
    await endless.catch(() => undefined);
  });

  it('max clients is what a call fails with while Redis takes no more', async () => {
    await command('CONFIG', 'SET', 'maxclients', '1');
    const late = createStore(redis.port);
    await expect(late.store.init(AbortSignal.timeout(300))).rejects.toThrow(
      /max number of clients reached/,
    );
    await late.store.close();
  });

  it.each([
    'LOADING Redis is loading the dataset in memory',
    'MASTERDOWN Link with MASTER is down',
  ])('%s is unavailable', async (reply) => {
    const server = new FakeServer(answerAll(`-${reply}\r\n`));
    const { store } = createStore(await server.listen());
    await store.init(noAbort());
    await expect(store.tryLock(tryLockCall('k'), noAbort())).rejects.toMatchObject(
      failsWith('unavailable', new RegExp(`: ${reply}$`)),
    );
    await store.close();
    await server.close();
  });
});
