import { startRedisServer } from '../support/redis-server';
import { findLeftovers } from './leftovers';
import { Troubles } from './troubles';

const MINUTE_MS = 60_000;

describe('the look at what is left', () => {
  it('finds queues, presences, endless locks and withdrawn attempts, and nothing else (N8)', async () => {
    const redis = await startRedisServer();
    try {
      await redis.inspect(async (client) => {
        await client.zAdd('lock||a||queue||', { score: 1, value: 'ab:cd:1' });
        await client.set('lock||present||ab||', '1', {
          expiration: { type: 'PX', value: MINUTE_MS },
        });
        await client.set('lock||endless', 'o');
        await client.set('lock||withdrawn', 'o', { expiration: { type: 'PX', value: 1900 } });
        await client.set('lock||token||', '1');
        await client.set('lock||b||done||ab||', '1', {
          expiration: { type: 'PX', value: MINUTE_MS },
        });
      });
      const now = performance.now();
      const times = {
        calledAtMs: now,
        returnedAtMs: now + 1,
        ttlMs: 1000,
        answer: 'unknown',
      } as const;
      const who = { id: 1, key: 'lock||withdrawn', owner: 'o', by: 'holdfast' } as const;
      const calm = new Troubles({ faults: [] });
      const found = await findLeftovers(redis, [{ ...who, ...times, kind: 'acquire' }], calm);
      expect(found.sort()).toEqual([
        expect.stringMatching(
          /^Error: a withdrawn attempt still holds its lock: acquire of lock\|\|withdrawn by o for 1000 ms/,
        ),
        'lock||a||queue|| outlives its last promised expiry',
        'lock||a||queue|| stays though nobody waits',
        'lock||endless is not free after its expiry',
        'lock||endless outlives its last promised expiry',
        'lock||present||ab|| stays though nobody waits',
      ]);
    } finally {
      await redis.stop();
    }
  });

  it('grants a withdrawal the time until a connection is given up that a fault has left silent', async () => {
    const redis = await startRedisServer();
    try {
      await redis.inspect((client) =>
        client.set('lock||withdrawn', 'o', { expiration: { type: 'PX', value: 1400 } }),
      );
      const now = performance.now();
      const times = { calledAtMs: now, returnedAtMs: now, ttlMs: 1000, answer: 'unknown' } as const;
      const who = { id: 1, key: 'lock||withdrawn', owner: 'o', by: 'holdfast' } as const;
      const fault = { kind: 'half-open', fromMs: now - 100, toMs: now, losesData: false };
      const silent = new Troubles({ faults: [fault] });
      const call = { ...who, ...times, kind: 'acquire' } as const;
      expect(await findLeftovers(redis, [call], silent)).toEqual([]);
    } finally {
      await redis.stop();
    }
  });
});
