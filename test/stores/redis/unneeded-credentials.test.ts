import { eventually } from '../../support/eventually';
import { RedisServer, startRedisServer } from '../../support/redis-server';
import { SentinelSetup } from '../../support/sentinel-setup';
import {
  answerAll,
  createSentinelStore,
  createStore,
  FakeServer,
  noAbort,
  type StoreFixture,
  tryLockCall,
} from './redis-fixture';

const SECRET = 'a-placeholder-of-a-how-to';

describe('credentials that a server does not need', () => {
  let redis: RedisServer;
  let fixture: StoreFixture | undefined;
  afterEach(async () => {
    await fixture?.store.close();
    fixture = undefined;
    await redis.stop();
  });

  const initOn = async (
    args: readonly string[],
    metadata: Readonly<Record<string, string>>,
  ): Promise<StoreFixture> => {
    redis = await startRedisServer({ args });
    fixture = createStore(redis.port, metadata);
    await fixture.store.init(noAbort());
    return fixture;
  };
  const expectLock = async ({ store }: StoreFixture): Promise<void> => {
    const call = tryLockCall('k');
    await expect(store.tryLock(call, noAbort())).resolves.toMatchObject({ acquired: true });
    await expect(store.unlock(call, noAbort())).resolves.toBe('unlocked');
  };

  it.each([
    ['a password', { redisPassword: SECRET }, 'Redis at 127.0.0.1:PORT needs no password'],
    [
      'a user without a password',
      { redisUsername: SECRET },
      'redisUsername is not used without redisPassword',
    ],
  ])('%s: it locks and warns once', async (_name, metadata, warning) => {
    const { store, logger } = await initOn([], metadata);
    await expectLock({ store, logger });
    const warnings = logger.messages('warn');
    expect(warnings).toEqual([
      expect.stringContaining(
        `Component lockstore: ${warning.replace('PORT', String(redis.port))}`,
      ),
    ]);
    expect(JSON.stringify(logger.lines)).not.toContain(SECRET);
  });

  it('the default user and any password: it locks, and Redis itself takes them', async () => {
    await expectLock(
      await initOn([], { redisUsername: 'default', redisPassword: SECRET, redisDB: '2' }),
    );
  });

  it('a Redis that is started again without its password is gone on with, and warned of once', async () => {
    const store = await initOn(['--requirepass', SECRET], { redisPassword: SECRET });
    expect(store.logger.messages('warn')).toEqual([]);
    await redis.kill();
    const open = await startRedisServerOn(redis);
    try {
      await eventually(() => expectLock(store), { withinMs: 5000 });
      const said = () =>
        store.logger.messages('warn').filter((text) => text.includes('needs no password'));
      expect(said()).toHaveLength(1);
      await open.kill();
      await open.start();
      await eventually(() => expectLock(store), { withinMs: 5000 });
      expect(said()).toHaveLength(1);
    } finally {
      await open.kill();
    }
  });

  it.each([
    ['another user than the server has', [], { redisUsername: 'app', redisPassword: SECRET }],
    ['a wrong password', ['--requirepass', 'right'], { redisPassword: SECRET }],
    [
      'a wrong password of a user',
      ['--user', 'app', 'on', '>right', '~*', '+@all'],
      { redisUsername: 'app', redisPassword: SECRET },
    ],
  ])('%s is refused at once', async (_name, args, metadata) => {
    const failed = initOn(args, metadata);
    await expect(failed).rejects.toMatchObject({ kind: 'rejected' });
    await expect(failed).rejects.toThrow(
      `error connecting to Redis: WRONGPASS invalid username-password pair or user is disabled. (127.0.0.1:${redis.port})`,
    );
  });

  it('a user without its password is nobody, as in daprd', async () => {
    const failed = initOn(['--requirepass', 'right'], { redisUsername: 'default' });
    await expect(failed).rejects.toThrow('error connecting to Redis: NOAUTH');
  });

  it('signs in by HELLO where AUTH was renamed away', async () => {
    const args = ['--requirepass', SECRET, '--rename-command', 'AUTH', ''];
    const store = await initOn(args, { redisPassword: SECRET });
    await expectLock(store);
    expect(store.logger.messages('warn')).toEqual([]);
  });

  it('never shows a password that Redis quotes', async () => {
    const renamed = ['AUTH', 'HELLO'].flatMap((name) => ['--rename-command', name, '']);
    const failed = initOn(['--requirepass', SECRET, ...renamed], { redisPassword: SECRET });
    await expect(failed).rejects.toThrow('error connecting to Redis: NOAUTH');
    expect(JSON.stringify(fixture!.logger.lines)).not.toContain(SECRET);
  });
});

/** The same port again, by another process that asks for no password. */
async function startRedisServerOn(redis: RedisServer): Promise<RedisServer> {
  const open = new RedisServer({ port: redis.port, folder: redis.folder, args: [] });
  await open.start();
  return open;
}

describe('an old Redis that asks for no password', () => {
  it('is gone on with', async () => {
    const server = new FakeServer(answerAll('-ERR Client sent AUTH, but no password is set\r\n'));
    const { store, logger } = createStore(await server.listen(), { redisPassword: SECRET });
    await store.init(noAbort());
    expect(logger.messages('warn')[0]).toContain('needs no password; redisPassword');
    await store.close();
    await server.close();
  });
});

describe('credentials that Sentinels do not need', () => {
  it('are warned of once', async () => {
    const setup = await SentinelSetup.start();
    const { store, logger } = createSentinelStore(setup, { sentinelPassword: SECRET });
    try {
      await store.init(noAbort());
      await expect(store.tryLock(tryLockCall('k'), noAbort())).resolves.toMatchObject({
        acquired: true,
      });
      const warnings = logger.messages('warn');
      expect(warnings).toEqual([
        expect.stringMatching(
          /^Component lockstore: Sentinel 127\.0\.0\.1:\d+ needs no password; sentinelPassword/,
        ),
      ]);
      expect(JSON.stringify(logger.lines)).not.toContain(SECRET);
    } finally {
      await store.close();
      await setup.stop();
    }
  });
});
