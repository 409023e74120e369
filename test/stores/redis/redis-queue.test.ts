import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { createAttempt } from '../../../src/lock/attempt';
import type { LockStore, UnlockOutcome } from '../../../src/lock/lock-store';
import type { AskCall, AskResult, Grant } from '../../../src/lock/store-abilities';
import { TOKEN_KEY, toQueueKey } from '../../../src/stores/redis/side-keys';
import {
  acquire,
  beGranted,
  callOn,
  forever,
  RecordingListener,
} from '../../conformance/ability-fixture';
import { eventually } from '../../support/eventually';
import { type RedisServer, startRedisServer } from '../../support/redis-server';
import { TcpProxy } from '../../support/tcp-proxy';
import { createQuickStore } from './redis-fixture';

/** A store and what it is told of its queues. */
interface Sidecar {
  readonly store: LockStore;
  readonly listener: RecordingListener;
}

type Release = (store: LockStore, holder: AskCall, grant: Grant) => Promise<UnlockOutcome>;

/** The ways to release a lock. */
const RELEASES: readonly (readonly [what: string, release: Release])[] = [
  [
    'an unlock',
    (store, { key, owner }) => store.unlock({ key, owner, attempt: createAttempt() }, forever()),
  ],
  [
    'the release of a grant',
    (store, { key, owner }, { fencingToken }) =>
      store.leases!.release({ key, owner, fencingToken, attempt: createAttempt() }, forever()),
  ],
  [
    'a forced release',
    (store, { key }, { fencingToken }) =>
      store.views!.forceRelease(
        { key, grant: { fencingToken }, attempt: createAttempt() },
        forever(),
      ),
  ],
];

describe('the queue of lock.redis', () => {
  let redis: RedisServer;
  let key: string;
  const sidecars: Sidecar[] = [];
  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis.stop());
  beforeEach(() => {
    key = `lock||myapp||${randomUUID()}`;
  });
  afterEach(async () => {
    for (const { store } of sidecars.splice(0)) await store.close();
  });

  const startSidecar = async (port = redis.port): Promise<Sidecar> => {
    const { store } = createQuickStore(port);
    const listener = new RecordingListener();
    store.queue!.listen(listener);
    await store.init(forever());
    sidecars.push({ store, listener });
    return { store, listener };
  };
  const isTold = (listener: RecordingListener, what: string) =>
    eventually(
      () => {
        expect(listener.told).toContain(what);
      },
      { withinMs: 10_000 },
    );
  const unlock = (store: LockStore) =>
    store.unlock({ key, owner: 'a', attempt: createAttempt() }, forever());
  const queue = async ({ store }: Sidecar): Promise<AskCall> => {
    const call = callOn({ key });
    await expect(store.queue!.ask(call, forever())).resolves.toMatchObject({ state: 'queued' });
    return call;
  };

  it('wakes the waiter of another sidecar, in turn', async () => {
    const [one, other] = [await startSidecar(), await startSidecar()];
    await acquire(one.store, callOn({ key }));
    const first = await queue(other);
    const second = await queue(one);
    await isTold(other.listener, 'missed');
    await unlock(one.store);
    await isTold(other.listener, first.attempt.id);
    await expect(one.store.queue!.ask(second, forever())).resolves.toMatchObject({ ahead: 1 });
    await beGranted(other.store, first);
    await isTold(one.listener, 'missed');
    await unlock(one.store);
    await isTold(one.listener, second.attempt.id);
    await beGranted(one.store, second);
  });

  it.each(RELEASES)('serves an ask that is sent behind %s after it', async (_what, release) => {
    const { store, listener } = await startSidecar();
    const holder = callOn({ key });
    const grant = await acquire(store, holder);
    const waiter = callOn({ key });
    await expect(store.queue!.ask(waiter, forever())).resolves.toMatchObject({ ahead: 0 });
    const asked: Promise<AskResult>[] = [];
    const releasing = (released: string): void => {
      expect(released).toBe(key);
      asked.push(store.queue!.ask(waiter, forever()));
    };
    Object.assign(listener, { releasing });
    await expect(release(store, holder, grant)).resolves.toBe('unlocked');
    await expect(Promise.all(asked)).resolves.toMatchObject([{ state: 'granted' }]);
  });

  it('says so when tickets may be lost, and gives each its old place', async () => {
    const sidecar = await startSidecar();
    const waiters: AskCall[] = [];
    await acquire(sidecar.store, callOn({ key }));
    for (let count = 0; count < 3; count += 1) waiters.push(await queue(sidecar));
    await redis.inspect((client) => client.flushAll());
    await sidecar.store.queue!.refresh([key], forever());
    expect(sidecar.listener.told).toContain('lapsed');
    await acquire(sidecar.store, callOn({ key }));
    const aheadOf = async (waiter: AskCall) => {
      const result = await sidecar.store.queue!.ask(waiter, forever());
      return result.state === 'queued' ? result.ahead : result.state;
    };
    await expect(aheadOf(waiters[2]!)).resolves.toBe(0);
    await expect(aheadOf(waiters[0]!)).resolves.toBe(0);
    await expect(aheadOf(waiters[1]!)).resolves.toBe(1);
    await expect(aheadOf(waiters[2]!)).resolves.toBe(2);
  });

  it('opens another session by itself where an ask finds the old one lapsed', async () => {
    const sidecar = await startSidecar();
    await acquire(sidecar.store, callOn({ key }));
    await queue(sidecar);
    await redis.inspect((client) => client.flushAll());
    await beGranted(sidecar.store, callOn({ key }));
    expect(sidecar.listener.told).toContain('lapsed');
  });

  it('is not sure that nothing was done where a send was lost before its session could not be opened', async () => {
    const proxy = await TcpProxy.start(redis.port);
    const { store } = await startSidecar(proxy.port);
    await beGranted(store, callOn());
    proxy.dropReplies = true;
    const ask = store.queue!.ask(callOn({ key }), forever());
    ask.catch(() => undefined);
    await eventually(async () => {
      expect(await redis.inspect((client) => client.exists(key))).toBe(1);
    });
    // The next send finds its session gone, and no other can be opened.
    const setRight = (right: string) =>
      redis.inspect(async (client) => {
        await client.flushAll();
        await client.sendCommand(['ACL', 'SETUSER', 'default', right]);
      });
    await setRight('-set');
    proxy.heal();
    const failure: unknown = await ask.catch((error: unknown) => error);
    await setRight('+set');
    await proxy.stop();
    expect(failure).toMatchObject({ outcome: 'unknown' });
  });

  it('passes by the tickets of a sidecar that has died, and leaves nothing of them', async () => {
    const [dead, alive] = [await startSidecar(), await startSidecar()];
    await acquire(alive.store, callOn({ key }));
    await queue(dead);
    await dead.store.close();
    const waiter = await queue(alive);
    await unlock(alive.store);
    await eventually(
      async () => {
        await alive.store.queue!.refresh([key], forever());
        await beGranted(alive.store, waiter);
      },
      { withinMs: 10_000 },
    );
    await redis.inspect(async (client) => {
      expect(await client.exists(toQueueKey(key))).toBe(0);
    });
  });

  it('leaves nothing in Redis but the last token', async () => {
    await redis.inspect((client) => client.flushAll());
    const sidecar = await startSidecar();
    await acquire(sidecar.store, callOn({ key, ttlMs: 1000 }));
    await queue(sidecar);
    await queue(sidecar);
    await sidecar.store.close();
    await eventually(
      async () => {
        expect(await redis.inspect((client) => client.keys('*'))).toEqual([TOKEN_KEY]);
      },
      { withinMs: 10_000 },
    );
  });

  it('stays in use after Redis was restarted without its data', async () => {
    const sidecar = await startSidecar();
    await acquire(sidecar.store, callOn({ key }));
    const waiter = await queue(sidecar);
    await isTold(sidecar.listener, 'missed');
    sidecar.listener.told.length = 0;
    await redis.kill();
    await redis.start();
    await isTold(sidecar.listener, 'missed');
    await eventually(() => beGranted(sidecar.store, waiter), { withinMs: 10_000 });
  });

  it('resolves an ask whose reply was lost', async () => {
    const proxy = await TcpProxy.start(redis.port);
    const sidecar = await startSidecar(proxy.port);
    await beGranted(sidecar.store, callOn());
    proxy.cutNextReply = true;
    const call = callOn({ key });
    await beGranted(sidecar.store, call);
    const other = await startSidecar();
    await expect(other.store.tryLock(callOn({ key }), forever())).resolves.toEqual({
      acquired: false,
    });
    await sidecar.store.queue!.leave(call);
    await beGranted(other.store, callOn({ key }));
    for (const { store } of sidecars.splice(0)) await store.close();
    await proxy.stop();
  });
});

describe('a Redis user whose rights do not reach', () => {
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await startRedisServer();
  });
  afterEach(() => redis.stop());

  const withRules = async (...rules: readonly string[]) => {
    await redis.inspect((client) => client.sendCommand(['ACL', 'SETUSER', 'default', ...rules]));
    const fixture = createQuickStore(redis.port);
    await fixture.store.init(forever());
    return fixture;
  };

  it('for a queue is told that it is not supported, and takes locks as before', async () => {
    const { store } = await withRules('-zadd', '-zrange', '-zscore');
    const ask = store.queue!.ask(callOn(), forever());
    await expect(ask).rejects.toMatchObject({ kind: 'unsupported', outcome: 'not-applied' });
    await acquire(store, callOn());
    await store.close();
  });

  it('for the time has tries without tokens, and nothing that needs one', async () => {
    const { store } = await withRules('-time');
    const call = callOn();
    await expect(store.tryLock(call, forever())).resolves.toEqual({ acquired: true });
    const unsupported = { kind: 'unsupported', outcome: 'not-applied' };
    await expect(acquire(store, callOn())).rejects.toMatchObject(unsupported);
    await expect(store.queue!.ask(callOn(), forever())).rejects.toMatchObject(unsupported);
    await expect(store.leases!.renew(call, forever())).rejects.toMatchObject(unsupported);
    await expect(store.views!.get(call.key, forever())).rejects.toMatchObject(unsupported);
    await store.close();
  });

  it('for channels waits all the same, and the log says so once', async () => {
    const { store, logger } = await withRules('resetchannels');
    const [holder, waiter] = [callOn(), callOn()];
    const onKey = { ...waiter, key: holder.key };
    await acquire(store, holder);
    await store.queue!.ask(onKey, forever());
    await eventually(() => {
      const lines = logger.messages('warn').filter((line) => line.includes('up to a second later'));
      expect(lines).toHaveLength(2);
    });
    const release = { key: holder.key, owner: 'a', attempt: createAttempt() };
    await expect(store.unlock(release, forever())).resolves.toBe('unlocked');
    await beGranted(store, onKey);
    await store.close();
  });

  it('no further than docs/configuration.md says has all of it', async () => {
    const text = await readFile(path.join(__dirname, '../../../docs/configuration.md'), 'utf8');
    const [, rules = ''] = /^ACL SETUSER locks on >password (.*)$/m.exec(text) ?? [];
    // Redis 6 has no PEXPIRETIME, and no rule for it.
    const [info] = (await redis.inspect((client) =>
      client.sendCommand(['COMMAND', 'INFO', 'pexpiretime']),
    )) as unknown as readonly unknown[];
    const known = rules.split(' ').filter((rule) => info !== null || rule !== '+pexpiretime');
    const { store, logger } = await withRules('resetkeys', 'resetchannels', '-@all', ...known);
    const listener = new RecordingListener();
    store.queue!.listen(listener);
    const [holder, first] = [callOn(), callOn()];
    const { fencingToken } = await acquire(store, holder);
    await store.queue!.ask({ ...first, key: holder.key }, forever());
    await eventually(() => {
      expect(listener.told).toContain('missed');
    });
    await store.leases!.renew({ ...holder, ttlMs: 120_000 }, forever());
    const list = { keyPrefix: 'lock||conformance||', pageSize: 10 };
    const { locks } = await store.views!.list(list, forever());
    expect(locks).toEqual([expect.objectContaining({ fencingToken, waiters: 1 })]);
    await store.queue!.refresh([holder.key], forever());
    const release = { key: holder.key, attempt: createAttempt(), grant: { fencingToken } };
    await expect(store.views!.forceRelease(release, forever())).resolves.toBe('unlocked');
    await eventually(() => {
      expect(listener.told).toContain(first.attempt.id);
    });
    await beGranted(store, { ...first, key: holder.key });
    await store.queue!.leave({ ...first, key: holder.key });
    expect(logger.messages('warn')).toEqual([]);
    await store.close();
  });
});
