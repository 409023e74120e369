import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

import type { LockStore, TryLockCall, TryLockResult } from '../../../src/lock/lock-store';
import { TOKEN_KEY } from '../../../src/stores/redis/side-keys';
import { eventually } from '../../support/eventually';
import { type RedisServer, startRedisServer } from '../../support/redis-server';
import { TcpProxy } from '../../support/tcp-proxy';
import { createQuickStore, noAbort, type StoreFixture, tryLockCall } from './redis-fixture';

/** How long after Redis is back a withdrawn lock may stay: the stated allowance. */
const WITHDRAWN_WITHIN_MS = 1000;

/** How long a send waits for its reply: long enough for a machine that is busy. */
const TRY_TIMEOUT_MS = 400;

describe('lock.redis behind a bad network', () => {
  let redis: RedisServer;
  let proxy: TcpProxy;
  let fixture: StoreFixture;
  let store: LockStore;
  let key: string;

  beforeEach(async () => {
    redis = await startRedisServer({ args: ['--appendonly', 'no'] });
    proxy = await TcpProxy.start(redis.port);
    fixture = createQuickStore(proxy.port, { tryTimeoutMs: TRY_TIMEOUT_MS });
    store = fixture.store;
    await store.init(noAbort());
    key = `lock||myapp||${randomUUID()}`;
    // Makes Redis know the scripts, so that a call is one command.
    const known = tryLockCall(`${key}x`);
    await store.tryLock(known, noAbort());
    await store.unlock(known, noAbort());
  });
  afterEach(async () => {
    await store.close();
    await proxy.stop();
    await redis.stop();
  });

  const holder = () => redis.inspect((client) => client.get(key));
  const holderIs = (owner: string | null) =>
    eventually(async () => {
      expect(await holder()).toBe(owner);
    });
  const tryLock = (call = tryLockCall(key)) => store.tryLock(call, noAbort());
  const unlock = (owner = 'a') => store.unlock(tryLockCall(key, owner), noAbort());

  /** Starts a call whose first send reaches Redis while its reply does not come back. */
  const loseReplyOf = async <T>(start: () => Promise<T>, applied: () => Promise<void>) => {
    proxy.dropReplies = true;
    const answer = start();
    answer.catch(() => undefined);
    await applied();
    proxy.heal();
    return answer;
  };

  describe('a TryLock whose reply is lost', () => {
    it('is answered as acquired, and counts anew from then', async () => {
      const call = tryLockCall(key);
      let firstExpiry = 0;
      const result = await loseReplyOf(
        () => tryLock(call),
        async () => {
          await holderIs('a');
          firstExpiry = await redis.expiryOf(key);
        },
      );
      expect(result).toMatchObject({ acquired: true });
      const expiry = await redis.expiryOf(key);
      expect(expiry).toBeGreaterThan(firstExpiry);
      await expect(tryLock()).resolves.toEqual({ acquired: false });
    });

    it('is answered likewise where the connection is cut in the middle of the reply', async () => {
      proxy.cutNextReply = true;
      await expect(tryLock()).resolves.toMatchObject({ acquired: true });
      await expect(unlock()).resolves.toBe('unlocked');
    });

    it('is answered as refused where another holds the lock', async () => {
      await tryLock(tryLockCall(key, 'b'));
      proxy.cutNextReply = true;
      await expect(tryLock()).resolves.toEqual({ acquired: false });
      await expect(holder()).resolves.toBe('b');
    });

    it("does not take a daprd's later lock of the same owner name for its own", async () => {
      const result = await loseReplyOf(tryLock, async () => {
        await holderIs('a');
        await redis.inspect(async (client) => {
          await client.del(key);
          // Not 60 s: before Redis 7 locks whose ends are less than 2 ms apart are taken for one.
          await client.sendCommand(['SET', key, 'a', 'EX', '61', 'NX']);
        });
      });
      expect(result).toEqual({ acquired: false });
    });

    it('leaves no key that has no expiry', async () => {
      await loseReplyOf(tryLock, () => holderIs('a'));
      await redis.inspect(async (client) => {
        for (const each of await client.keys('*')) {
          // The last token of the database is for good.
          if (each === TOKEN_KEY) continue;
          expect([each, await client.pTTL(each)]).toEqual([each, expect.any(Number)]);
          expect(await client.pTTL(each)).toBeGreaterThan(0);
        }
      });
    });
  });

  describe('an Unlock whose reply is lost', () => {
    beforeEach(() => tryLock());

    it('is answered as unlocked', async () => {
      await expect(loseReplyOf(unlock, () => holderIs(null))).resolves.toBe('unlocked');
    });

    it('is answered as unlocked though another has the lock by now', async () => {
      const answer = await loseReplyOf(unlock, async () => {
        await holderIs(null);
        await redis.inspect((client) => client.set(key, 'b'));
      });
      expect(answer).toBe('unlocked');
      await expect(holder()).resolves.toBe('b');
    });

    it('frees no later lock of the same owner', async () => {
      const answer = await loseReplyOf(unlock, async () => {
        await holderIs(null);
        await redis.inspect((client) => client.set(key, 'a'));
      });
      expect(answer).toBe('unlocked');
      await expect(holder()).resolves.toBe('a');
    });

    it.each([
      ['was flushed', () => redis.inspect((client) => client.flushAll())],
      [
        'was restarted without its data',
        async () => {
          await redis.kill();
          await redis.start();
        },
      ],
    ])('has an unknown outcome where Redis %s meanwhile', async (_name, loseData) => {
      const answer = loseReplyOf(unlock, async () => {
        await holderIs(null);
        await loseData();
      });
      await expect(answer).rejects.toMatchObject({
        outcome: 'unknown',
        message: expect.stringMatching(/^Redis was restarted or flushed .* unknown$/) as unknown,
      });
    });
  });

  describe('a send that arrives late', () => {
    /** Starts a call whose first send is held back until after the call was answered. */
    const overtake = async <T>(start: () => Promise<T>): Promise<T> => {
      proxy.holdRequests = true;
      const answer = start();
      await eventually(() => {
        expect(proxy.isHolding).toBe(true);
      });
      proxy.heal();
      return answer;
    };
    /** Delivers it, and waits until Redis has run it. */
    const deliver = async () => {
      const runs = async () => {
        const stats = await redis.inspect((client) => client.info('commandstats'));
        return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
      };
      const before = await runs();
      proxy.deliverHeld();
      await eventually(async () => {
        expect(await runs()).toBeGreaterThan(before);
      });
    };
    it('takes no lock that its owner has released', async () => {
      await expect(overtake(tryLock)).resolves.toMatchObject({ acquired: true });
      await unlock();
      await deliver();
      await expect(holder()).resolves.toBeNull();
    });

    it('takes no lock whose repeated send was refused', async () => {
      await redis.inspect((client) => client.set(key, 'b'));
      await expect(overtake(tryLock)).resolves.toEqual({ acquired: false });
      await unlock('b');
      await deliver();
      await expect(holder()).resolves.toBeNull();
    });

    it('frees no lock that its owner has taken anew', async () => {
      await tryLock();
      await expect(overtake(unlock)).resolves.toBe('unlocked');
      await tryLock();
      await deliver();
      await expect(holder()).resolves.toBe('a');
    });

    it('frees no lock taken after a repeated send that found none', async () => {
      await expect(overtake(unlock)).resolves.toBe('not_found');
      await tryLock();
      await deliver();
      await expect(holder()).resolves.toBe('a');
    });

    /** A call with one send, held back; the caller leaves. */
    const abandon = async (start: (signal: AbortSignal) => Promise<unknown>) => {
      const gone = new AbortController();
      proxy.holdRequests = true;
      const answer = start(gone.signal);
      answer.catch(() => undefined);
      await eventually(() => {
        expect(proxy.isHolding).toBe(true);
      });
      gone.abort();
      await expect(answer).rejects.toMatchObject({ outcome: 'unknown' });
      proxy.heal();
    };

    it('takes nothing after the time of its try', async () => {
      await abandon((signal) => store.tryLock(tryLockCall(key), signal));
      await pause(TRY_TIMEOUT_MS + 50);
      await deliver();
      await expect(holder()).resolves.toBeNull();
    });

    it('frees nothing after the time of its try', async () => {
      await tryLock();
      await abandon((signal) => store.unlock(tryLockCall(key), signal));
      await pause(TRY_TIMEOUT_MS + 50);
      await deliver();
      await expect(holder()).resolves.toBe('a');
    });

    it.each(['tryLock', 'unlock'] as const)(
      'has no effect once its %s was withdrawn',
      async (method) => {
        const call = tryLockCall(key);
        await abandon((signal) => store[method](call, signal));
        // The held connection is the store's own: it needs another for the withdrawal.
        proxy.cut();
        await store.withdraw(call);
        if (method === 'unlock') await tryLock();
        await deliver();
        await expect(holder()).resolves.toBe(method === 'unlock' ? 'a' : null);
      },
    );
  });

  describe('a withdrawal', () => {
    /** A TryLock that took the lock and whose outcome its caller will never know. */
    const leaveBehind = async (): Promise<TryLockCall> => {
      const call = tryLockCall(key);
      const gone = new AbortController();
      proxy.dropReplies = true;
      const answer: Promise<TryLockResult> = store.tryLock(call, gone.signal);
      answer.catch(() => undefined);
      await holderIs('a');
      gone.abort();
      await expect(answer).rejects.toMatchObject({ outcome: 'unknown' });
      return call;
    };

    it.each([
      ['connections are refused', 'refuse', 600],
      ['a first attempt to reconnect gets stuck', 'dropRequests', 300],
    ] as const)('is done within its allowance after %s', async (_name, fault, brokenMs) => {
      const call = await leaveBehind();
      proxy[fault] = true;
      proxy.cut();
      const withdrawn = store.withdraw(call);
      await pause(brokenMs);
      proxy.heal();
      await eventually(
        async () => {
          expect(await holder()).toBeNull();
        },
        { withinMs: WITHDRAWN_WITHIN_MS },
      );
      await withdrawn;
    });

    it('goes before new calls on a new connection', async () => {
      const call = await leaveBehind();
      proxy.refuse = true;
      proxy.cut();
      const withdrawn = store.withdraw(call);
      await eventually(() => {
        expect(fixture.logger.messages('warn')).not.toEqual([]);
      });
      proxy.heal();
      // The first call that is answered at all, not one of those after it.
      const firstAnswer = await eventually(() => tryLock());
      expect(firstAnswer).toMatchObject({ acquired: true });
      await withdrawn;
    });

    it('leaves a lock alone that a daprd took under the same owner name', async () => {
      const call = await leaveBehind();
      // Not in the same 2 ms: before Redis 7 the two locks could not be told apart.
      await eventually(async () => {
        expect(await redis.inspect((client) => client.pTTL(key))).toBeLessThan(call.ttlMs - 5);
      });
      await redis.inspect(async (client) => {
        await client.del(key);
        // Not 60 s: before Redis 7 locks whose ends are less than 2 ms apart are taken for one.
        await client.sendCommand(['SET', key, 'a', 'EX', '61', 'NX']);
      });
      proxy.heal();
      await store.withdraw(call);
      await expect(holder()).resolves.toBe('a');
    });

    it('ends by itself when its lease is over', async () => {
      const call = { ...tryLockCall(key), ttlMs: 300 };
      proxy.dropReplies = true;
      const gone = new AbortController();
      const answer = store.tryLock(call, gone.signal);
      answer.catch(() => undefined);
      await holderIs('a');
      gone.abort();
      await answer.catch(() => undefined);
      await redis.kill();
      await expect(store.withdraw(call)).resolves.toBeUndefined();
    });

    it('gets the grace of a store that is closed', async () => {
      const call = await leaveBehind();
      proxy.refuse = true;
      proxy.cut();
      const withdrawn = store.withdraw(call);
      const closed = store.close(new AbortController().signal);
      proxy.heal();
      await Promise.all([withdrawn, closed]);
      await expect(holder()).resolves.toBeNull();
    });

    it('is named in the log where the grace is over first', async () => {
      const call = await leaveBehind();
      await redis.kill();
      const withdrawn = store.withdraw(call);
      withdrawn.catch(() => undefined);
      await store.close(AbortSignal.abort());
      await expect(withdrawn).rejects.toMatchObject({ kind: 'closed' });
      expect(fixture.logger.messages('warn').at(-1)).toMatch(
        /^1 withdrawn lock attempts were not confirmed by Redis; their locks may exist for another \d+ s$/,
      );
    });
  });

  describe('one call', () => {
    const commandsOf = async (run: () => Promise<unknown>) => {
      await redis.inspect((client) => client.sendCommand(['CONFIG', 'RESETSTAT']));
      await run();
      const stats = await redis.inspect((client) => client.info('commandstats'));
      const counts = [...stats.matchAll(/cmdstat_(\w+):calls=(\d+)/g)].map(
        ([, name, calls]) => `${String(name)} ${String(calls)}`,
      );
      return counts.filter((each) => !/^(info|config|hello|client)/.test(each)).sort();
    };

    it('that is refused runs one SET and reads no companion', async () => {
      await tryLock();
      await expect(commandsOf(tryLock)).resolves.toEqual(['evalsha 1', 'set 1', 'time 1']);
    });
  });
});
