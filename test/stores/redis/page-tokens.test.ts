import type { LockStore } from '../../../src/lock/lock-store';
import { PageTokenError } from '../../../src/lock/store-abilities';
import { acquire, callOn, forever } from '../../conformance/ability-fixture';
import { type RedisServer, startRedisServer } from '../../support/redis-server';
import { createQuickStore } from './redis-fixture';

const PREFIX = 'lock||myapp||';

/** A cursor of SCAN means nothing to another server, and is taken by it all the same. */
describe('a page token of lock.redis', () => {
  const servers: RedisServer[] = [];
  const stores: LockStore[] = [];
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  const startStore = async (): Promise<LockStore> => {
    const redis = await startRedisServer();
    servers.push(redis);
    const { store } = createQuickStore(redis.port);
    stores.push(store);
    await store.init(forever());
    for (let index = 0; index < 5; index += 1) {
      await acquire(store, callOn({ key: `${PREFIX}${index}` }));
    }
    return store;
  };
  const list = (store: LockStore, pageToken?: string) =>
    store.views!.list({ keyPrefix: PREFIX, pageSize: 1, pageToken }, forever());

  it('is taken by its own server, and refused by another', async () => {
    const [own, other] = [await startStore(), await startStore()];
    const { nextPageToken } = await list(own);
    expect(nextPageToken).toBeDefined();
    await expect(list(own, nextPageToken)).resolves.toBeDefined();
    await expect(list(other, nextPageToken)).rejects.toThrow(PageTokenError);
  });
});
