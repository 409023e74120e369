import { createAttempt } from '../../../src/lock/attempt';
import { acquire, beGranted, callOn, RecordingListener } from '../../conformance/ability-fixture';
import { eventually } from '../../support/eventually';
import { MASTER_NAME, SentinelSetup } from '../../support/sentinel-setup';
import { createSentinelStore, noAbort, tryLockCall } from './redis-fixture';

const signal = noAbort();

/** How long a failover may take: noticing (1 s), voting, promoting; an allowance for a busy machine. */
const FAILOVER = { withinMs: 20_000 };

describe('a store behind Sentinel', () => {
  let setup: SentinelSetup;
  beforeEach(async () => {
    setup = await SentinelSetup.start();
  }, 40_000);
  afterEach(() => setup.stop());

  it('keeps its locks on the master, replicas or not', async () => {
    const { store } = createSentinelStore(setup);
    await store.init(signal);
    await expect(store.tryLock(tryLockCall('r'), signal)).resolves.toMatchObject({
      acquired: true,
    });
    await setup.servers[0]!.inspect(async (client) => {
      await expect(client.get('r')).resolves.toBe('a');
    });
    await store.close();
  });

  it('follows a failover by itself, also when the old master goes on silently', async () => {
    const { store, logger } = createSentinelStore(setup);
    await store.init(signal);
    const [old] = setup.servers;
    old!.pause();
    await eventually(async () => {
      await expect(store.tryLock(tryLockCall(`r${Math.random()}`), signal)).resolves.toMatchObject({
        acquired: true,
      });
    }, FAILOVER);
    await eventually(async () => {
      expect(await setup.master()).not.toBe(old);
    }, FAILOVER);
    expect(logger.messages('info').at(-1)).toMatch(
      /^Component lockstore: Redis is back after \d+ ms$/,
    );
    old!.resume();
    await store.close();
  }, 40_000);

  it('leaves the old master on the news of a failover that it could not notice', async () => {
    const { store, logger } = createSentinelStore(setup);
    await store.init(signal);
    await setup.ask(0, ['SENTINEL', 'FAILOVER', MASTER_NAME]);
    await eventually(() => {
      expect(logger.messages('warn').join()).toMatch(
        /Connection to Redis lost: .*(failover: the new master is|closed)/,
      );
    }, FAILOVER);
    await eventually(async () => {
      await expect(store.tryLock(tryLockCall('after'), signal)).resolves.toMatchObject({
        acquired: true,
      });
    }, FAILOVER);
    await eventually(async () => {
      const master = await setup.master();
      await master!.inspect(async (client) => {
        await expect(client.exists('after')).resolves.toBe(1);
      });
    }, FAILOVER);
    await store.close();
  }, 40_000);

  it('has its waiters woken by the new master after a failover', async () => {
    const waiting = createSentinelStore(setup);
    const releasing = createSentinelStore(setup);
    const listener = new RecordingListener();
    waiting.store.queue!.listen(listener);
    await Promise.all([waiting.store.init(signal), releasing.store.init(signal)]);
    const key = 'lock||myapp||r';
    await acquire(releasing.store, callOn({ key }));
    const waiter = callOn({ key });
    await waiting.store.queue!.ask(waiter, signal);
    await eventually(() => {
      expect(listener.told).toContain('missed');
    });

    listener.told.length = 0;
    const [old] = setup.servers;
    old!.pause();
    // The line of wake-ups stands anew, at another master: the old one answers nobody.
    await eventually(() => {
      expect(listener.told).toContain('missed');
    }, FAILOVER);
    await eventually(async () => {
      await expect(waiting.store.queue!.ask(waiter, signal)).resolves.toMatchObject({
        state: 'queued',
      });
    }, FAILOVER);
    await eventually(async () => {
      const call = { key, owner: 'a', attempt: createAttempt() };
      await expect(releasing.store.unlock(call, signal)).resolves.toBe('unlocked');
    }, FAILOVER);
    await eventually(() => {
      expect(listener.told).toContain(waiter.attempt.id);
    });
    await beGranted(waiting.store, waiter);
    old!.resume();
    await Promise.all([waiting.store.close(), releasing.store.close()]);
  }, 60_000);

  it('needs one Sentinel of those that it was told of, and learns of the others', async () => {
    const { store } = createSentinelStore(setup, { redisHost: setup.redisHost.split(',')[0]! });
    await store.init(signal);
    setup.killSentinel(0);
    await setup.servers[0]!.kill();
    await eventually(async () => {
      await expect(store.tryLock(tryLockCall('r'), signal)).resolves.toMatchObject({
        acquired: true,
      });
    }, FAILOVER);
    await store.close();
  }, 40_000);

  it('says which master no Sentinel knows', async () => {
    const { store } = createSentinelStore(setup, { sentinelMasterName: 'other' });
    await expect(store.init(AbortSignal.timeout(1000))).rejects.toThrow(
      /^error connecting to Redis: no Sentinel knows a master "other": the Sentinel knows no master of this name/,
    );
  });
});

describe('Sentinels that ask for a password', () => {
  it('get it, and without it say so', async () => {
    const setup = await SentinelSetup.start('sesame');
    try {
      const { store } = createSentinelStore(setup, { sentinelPassword: 'sesame' });
      await store.init(signal);
      await expect(store.tryLock(tryLockCall('r'), signal)).resolves.toMatchObject({
        acquired: true,
      });
      await store.close();
      await expect(createSentinelStore(setup).store.init(signal)).rejects.toThrow('NOAUTH');
    } finally {
      await setup.stop();
    }
  }, 40_000);
});
