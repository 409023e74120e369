import { createLockKeyPrefix } from '../../src/lock/lock-key';
import type { LockStore } from '../../src/lock/lock-store';
import { createNativeLockService } from '../../src/lock/native/native-locks';
import { StoreCatalog } from '../../src/lock/store-catalog';
import { eventually } from '../support/eventually';
import { createFakeStore } from '../support/fake-lock-store';
import { GrpcCallers, HttpCallers, type NativeCallers, type NativeMethod } from './native-callers';
import { MemoryStores, type NativeStores, RedisStores } from './native-stores';

const STORE = { storeName: 'lockstore', resourceId: 'r' };

/** A lease that no test outlasts. */
const TTL_MS = 60_000;

describe.each([
  { transport: 'gRPC', Callers: GrpcCallers, kind: 'memory', Stores: MemoryStores },
  { transport: 'HTTP', Callers: HttpCallers, kind: 'memory', Stores: MemoryStores },
  { transport: 'gRPC', Callers: GrpcCallers, kind: 'Redis', Stores: RedisStores },
  { transport: 'HTTP', Callers: HttpCallers, kind: 'Redis', Stores: RedisStores },
])('the native API over $transport on $kind', ({ Callers, Stores }) => {
  const backing: NativeStores = new Stores();
  let store: LockStore;
  let callers: NativeCallers;
  let locks: ReturnType<typeof createNativeLockService>;

  beforeAll(() => backing.start());
  afterAll(() => backing.stop());
  beforeEach(async () => {
    const stores = new StoreCatalog();
    const keyPrefix = createLockKeyPrefix({ keyPrefix: 'none', appId: '', componentName: '' });
    store = await backing.create();
    stores.add({ name: 'lockstore', store, keyPrefix });
    stores.add({ name: 'plain', store: createFakeStore(), keyPrefix });
    locks = createNativeLockService({ stores, appId: 'a', hostName: 'h', observers: [] });
    callers = new Callers(locks);
    await callers.start();
  });
  afterEach(async () => {
    locks.stop();
    await callers.stop();
    await store.close();
  });

  const acquire = async (lockOwner = 'o') => {
    const answer = await callers.call('Acquire', { ...STORE, lockOwner, ttlMs: TTL_MS });
    return (answer as { readonly lease: Record<string, number> }).lease;
  };
  const lockOf = async () => {
    const answer = await callers.call('Get', STORE);
    return 'lock' in answer ? (answer.lock as Record<string, unknown>) : undefined;
  };

  it('acquires a free lock, with a token and the time that it is valid', async () => {
    const answer = await callers.call('Acquire', { ...STORE, lockOwner: 'o', ttlMs: TTL_MS });
    expect(answer).toMatchObject({ acquired: true, lease: { lockOwner: 'o' } });
    const { lease } = answer as { readonly lease: Record<string, number> };
    expect(lease.fencingToken).toBeGreaterThan(0);
    // Counted from the arrival of the call, so it may be longer by what the call took.
    expect(Math.abs(lease.validMs! - TTL_MS)).toBeLessThan(5000);
  });

  it('draws an owner where none is named', async () => {
    const answer = await callers.call('Acquire', { ...STORE, ttlMs: TTL_MS });
    expect(answer).toMatchObject({
      lease: { lockOwner: expect.stringMatching(/^a\/h\/\w{16}$/) as string },
    });
  });

  it('says who holds a lock that it could not acquire', async () => {
    const { fencingToken } = await acquire();
    const answer = await callers.call('Acquire', { ...STORE, lockOwner: 'p', ttlMs: TTL_MS });
    expect(answer).toMatchObject({
      acquired: false,
      holder: { resourceId: 'r', lockOwner: 'o', fencingToken },
    });
  });

  it('waits in turn, and is granted the lock when it is released', async () => {
    const { fencingToken } = await acquire();
    const request = { ...STORE, lockOwner: 'p', ttlMs: TTL_MS, waitMs: 30_000 };
    const waiting = callers.call('Acquire', request);
    await eventually(async () => {
      expect(await lockOf()).toMatchObject({ waiters: 1 });
    });
    await callers.call('Release', { ...STORE, lockOwner: 'o' });
    const answer = (await waiting) as { readonly lease: Record<string, number> };
    expect(answer.lease.fencingToken).toBeGreaterThan(fencingToken!);
  });

  it('renews exactly the grant that is named', async () => {
    const { fencingToken } = await acquire();
    const renewal = { ...STORE, lockOwner: 'o', fencingToken, ttlMs: 2 * TTL_MS };
    await expect(callers.call('Renew', renewal)).resolves.toMatchObject({
      status: 'RENEWED',
      lease: { lockOwner: 'o', fencingToken },
    });
    const other = { ...renewal, fencingToken: fencingToken! + 1 };
    await expect(callers.call('Renew', other)).resolves.toEqual({ status: 'HELD_BY_OTHER' });
    await callers.call('Release', { ...STORE, lockOwner: 'o' });
    await expect(callers.call('Renew', renewal)).resolves.toEqual({ status: 'NOT_FOUND' });
  });

  it('releases, and with a token only that grant', async () => {
    const { fencingToken } = await acquire();
    const release = (more: object) =>
      callers.call('Release', { ...STORE, lockOwner: 'o', ...more });
    await expect(release({ fencingToken: 1 })).resolves.toEqual({ status: 'HELD_BY_OTHER' });
    await expect(release({ fencingToken })).resolves.toEqual({ status: 'RELEASED' });
    await expect(release({})).resolves.toEqual({ status: 'NOT_FOUND' });
  });

  it('shows one lock, and nothing where it is free', async () => {
    await expect(callers.call('Get', STORE)).resolves.toEqual({});
    const { fencingToken } = await acquire();
    expect(await lockOf()).toMatchObject({
      ...{ resourceId: 'r', lockOwner: 'o', fencingToken, waiters: 0 },
      expiresAtMs: expect.any(Number) as number,
    });
  });

  it('lists held locks by pages', async () => {
    const names = ['a-1', 'a-2', 'b-1'];
    for (const resourceId of names) {
      await callers.call('Acquire', { ...STORE, resourceId, lockOwner: 'o', ttlMs: TTL_MS });
    }
    const found: unknown[] = [];
    let pageToken = '';
    do {
      const request = { storeName: 'lockstore', prefix: 'a-', pageSize: 1, pageToken };
      const page = (await callers.call('List', request)) as Record<string, unknown>;
      found.push(...(page.locks as readonly { resourceId: string }[]).map((l) => l.resourceId));
      pageToken = String(page.nextPageToken);
    } while (pageToken !== '');
    expect(found.sort()).toEqual(['a-1', 'a-2']);
  });

  it('releases by force the grant that was looked at, and no other', async () => {
    const { fencingToken } = await acquire();
    const force = (token: number) =>
      callers.call('ForceRelease', { ...STORE, fencingToken: token, reason: 'test' });
    await expect(force(1)).resolves.toEqual({ status: 'HELD_BY_OTHER' });
    await expect(force(fencingToken!)).resolves.toEqual({ status: 'RELEASED' });
    await expect(force(fencingToken!)).resolves.toEqual({ status: 'NOT_FOUND' });
  });

  it('holds a lock until the client leaves', async () => {
    const hold = callers.hold({ ...STORE, lockOwner: 'o', ttlMs: 300 });
    await eventually(() => {
      const types = hold.events.map(({ type }) => type);
      expect([types[0], types.includes('renewed')]).toEqual(['held', true]);
    });
    expect(await lockOf()).toMatchObject({ lockOwner: 'o' });
    hold.cancel();
    await eventually(async () => {
      expect(await lockOf()).toBeUndefined();
    });
  });

  it('tells a hold that it waits, and that its wait is over', async () => {
    await acquire();
    const hold = callers.hold({ ...STORE, lockOwner: 'p', ttlMs: TTL_MS, waitMs: 100 });
    await eventually(() => {
      expect(hold.ended).toBe('ok');
    });
    expect(hold.events).toMatchObject([
      { type: 'queued', ahead: 0 },
      { type: 'refused', holder: { lockOwner: 'o' } },
    ]);
  });

  it('tells a hold that its lock was taken away', async () => {
    const hold = callers.hold({ ...STORE, lockOwner: 'o', ttlMs: 300 });
    await eventually(() => {
      expect(hold.events).not.toEqual([]);
    });
    const { fencingToken } = (await lockOf())!;
    await callers.call('ForceRelease', { ...STORE, fencingToken, reason: 'test' });
    await eventually(() => {
      expect(hold.ended).toBe('ok');
    });
    expect(hold.events.at(-1)).toEqual({ type: 'lost', reason: 'EXPIRED' });
  });

  it('tells a hold how long its lease lasts when the sidecar stops, and does not release it', async () => {
    const hold = callers.hold({ ...STORE, lockOwner: 'o', ttlMs: TTL_MS });
    await eventually(() => {
      expect(hold.events).toMatchObject([{ type: 'held' }]);
    });
    const waiting = callers.hold({ ...STORE, lockOwner: 'p', ttlMs: TTL_MS, waitMs: TTL_MS });
    await eventually(() => {
      expect(waiting.events).toMatchObject([{ type: 'queued' }]);
    });
    const caller = { signal: new AbortController().signal, arrivedAtMs: performance.now() };
    const stopped = callers.stopServer();
    await eventually(() => {
      expect([hold.ended, waiting.ended === undefined]).toEqual(['ok', false]);
    });
    expect(hold.events.at(-1)).toMatchObject({ type: 'atRisk', reason: 'SIDECAR_STOPPING' });
    expect(waiting.ended).not.toBe('ok');
    await stopped;
    await expect(locks.get(STORE, caller)).resolves.toMatchObject({ lockOwner: 'o' });
  });

  it.each<[NativeMethod, Readonly<Record<string, unknown>>]>([
    ['Acquire', { ttlMs: 9 }],
    ['Acquire', { ttlMs: TTL_MS, waitMs: -1 }],
    ['Acquire', { ttlMs: TTL_MS, waitMs: 86_400_001 }],
    ['Acquire', { ttlMs: TTL_MS, resourceId: '' }],
    ['Acquire', { ttlMs: TTL_MS, resourceId: 'a||b' }],
    ['Acquire', { ttlMs: TTL_MS, storeName: 'none' }],
    ['Renew', { lockOwner: 'o', ttlMs: 9 }],
    ['Renew', { lockOwner: '', ttlMs: TTL_MS }],
    ['Renew', { lockOwner: 'o', ttlMs: TTL_MS, fencingToken: 0 }],
    ['Release', { lockOwner: 'o', fencingToken: -1 }],
    ['ForceRelease', { fencingToken: 1, reason: '' }],
    ['ForceRelease', { fencingToken: 0, reason: 'test' }],
    ['Get', { resourceId: '' }],
    ['List', { pageSize: 0 }],
    ['List', { pageSize: 1001 }],
    ['List', { pageToken: 'none' }],
  ])('refuses a %s with %j, and changes nothing', async (method, wrong) => {
    await acquire();
    const before = (await lockOf())!;
    const message = method === 'List' ? { storeName: STORE.storeName } : STORE;
    const refused = wrong.storeName === 'none' ? /NOT_FOUND|MALFORMED/ : /^ERR_MALFORMED_REQUEST$/;
    const answer = await callers.call(method, { ...message, ...wrong });
    expect(answer).toEqual({ refused: expect.stringMatching(refused) as string });
    expect(await lockOf()).toMatchObject({
      lockOwner: 'o',
      fencingToken: before.fencingToken,
      waiters: 0,
    });
  });

  it.each<[NativeMethod, Readonly<Record<string, unknown>>]>([
    ['Acquire', { ttlMs: TTL_MS }],
    ['Renew', { lockOwner: 'o', ttlMs: TTL_MS }],
    ['Release', { lockOwner: 'o', fencingToken: 1 }],
    ['Get', {}],
    ['ForceRelease', { fencingToken: 1, reason: 'test' }],
  ])('says that a store can not do a %s', async (method, fields) => {
    const answer = await callers.call(method, { ...STORE, storeName: 'plain', ...fields });
    expect(answer).toEqual({ refused: 'ERR_LOCK_UNSUPPORTED' });
  });
});
