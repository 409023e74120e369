import { randomUUID } from 'node:crypto';

import fc from 'fast-check';

import { createAttempt } from '../../../src/lock/attempt';
import { createLockKeyPrefix, toLockKey } from '../../../src/lock/lock-key';
import type { LockStore } from '../../../src/lock/lock-store';
import { isSideKey, toCompanionKey, toMarkerKey } from '../../../src/stores/redis/side-keys';
import { type RedisServer, startRedisServer } from '../../support/redis-server';
import { createStore, noAbort, tryLockCall } from './redis-fixture';

/** Pieces of which names are made that come close to those of side keys. */
const piece = fc.constantFrom('|', '||', 'attempt', 'done', 'a', '', 'lock', 'f'.repeat(32), ' ');
const name = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));

const prefix = fc.oneof(
  fc.record({ keyPrefix: fc.constantFrom('appid', 'name', 'none'), appId: name, component: name }),
  fc.record({
    keyPrefix: name.filter((text) => !text.includes('||')),
    appId: fc.constant('myapp'),
    component: fc.constant('lockstore'),
  }),
);
const resource = name.filter((text) => text !== '' && !text.includes('||'));

/** Any lock that a sidecar can be asked for. */
const lockKey = fc
  .tuple(prefix, resource)
  .map(([{ keyPrefix, appId, component }, resourceId]) =>
    toLockKey(createLockKeyPrefix({ keyPrefix, appId, componentName: component }), resourceId),
  );
const attemptId = fc.oneof(
  fc.constant('f'.repeat(32)),
  fc.constant(0).map(() => createAttempt().id),
);

describe('the keys beside a lock', () => {
  it('are no lock’s key, whatever the prefixes and resources', () => {
    fc.assert(
      fc.property(lockKey, lockKey, attemptId, (one, other, id) => {
        expect([toCompanionKey(one), toMarkerKey(one, id)]).not.toContain(other);
        expect(isSideKey(other)).toBe(false);
        expect(isSideKey(toCompanionKey(one)) && isSideKey(toMarkerKey(one, id))).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('are not those beside another lock, nor of another attempt', () => {
    const sideKeysOf = (key: string, id: string) => [toCompanionKey(key), toMarkerKey(key, id)];
    fc.assert(
      fc.property(lockKey, lockKey, attemptId, attemptId, (one, other, id, otherId) => {
        const shared = sideKeysOf(one, id).filter((key) =>
          sideKeysOf(other, otherId).includes(key),
        );
        const expected = one !== other ? 0 : id === otherId ? 2 : 1;
        expect(shared).toHaveLength(expected);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a lock named as what stands beside another', () => {
  let redis: RedisServer;
  let store: LockStore;
  beforeAll(async () => {
    redis = await startRedisServer();
    ({ store } = createStore(redis.port));
    await store.init(noAbort());
  });
  afterAll(async () => {
    await store.close();
    await redis.stop();
  });

  const holderOf = (key: string) => redis.inspect((client) => client.get(key));
  const take = (key: string, owner: string) => store.tryLock(tryLockCall(key, owner), noAbort());
  const release = (key: string, owner: string) =>
    store.unlock({ key, owner, attempt: createAttempt() }, noAbort());

  it.each([
    ['its companion', (key: string) => `${key}||attempt`],
    ['its companion and a pipe', (key: string) => `${key}||attempt|||`],
    ['a marker of it', (key: string) => `${key}||done||${'f'.repeat(32)}`],
  ])('%s keeps its holder', async (_, toName) => {
    const key = `lock||${randomUUID()}`;
    const neighbour = toName(key);
    await expect(take(neighbour, 'neighbour')).resolves.toMatchObject({ acquired: true });
    await expect(take(key, 'a')).resolves.toMatchObject({ acquired: true });
    await expect(holderOf(neighbour)).resolves.toBe('neighbour');
    await expect(release(key, 'a')).resolves.toBe('unlocked');
    await expect(holderOf(neighbour)).resolves.toBe('neighbour');
    await expect(take(neighbour, 'b')).resolves.toEqual({ acquired: false });
    await expect(release(neighbour, 'neighbour')).resolves.toBe('unlocked');
  });
});
