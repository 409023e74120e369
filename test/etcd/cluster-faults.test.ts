import { randomUUID } from 'node:crypto';

import type { LockStore } from '../../src/lock/lock-store';
import { eventually } from '../support/eventually';
import { type EtcdCluster, startEtcd } from '../support/etcd-server';
import { callGateway, toBase64 } from './etcd-admin';
import { createEtcd, noAbort, openEtcd, tryCall, unlockCall } from './etcd-fixture';

const toKey = () => `lock||faults||${randomUUID()}`;

describe('a cluster of three members', () => {
  let etcd: EtcdCluster;
  let store: LockStore;
  beforeEach(async () => {
    etcd = await startEtcd({ members: 3 });
    store = await openEtcd(etcd.endpoints, { requestTimeout: '500ms' });
  });
  afterEach(async () => {
    await store.close();
    await etcd.stop();
  });

  it('is used by another member when one of them answers nothing', async () => {
    // The first of the endpoints.
    etcd.members[0]!.pause();
    const key = toKey();
    await expect(store.tryLock(tryCall(key), noAbort())).resolves.toMatchObject({ acquired: true });
    await expect(store.tryLock(tryCall(key), noAbort())).resolves.toEqual({ acquired: false });
    etcd.members[0]!.resume();
    await expect(store.unlock(unlockCall(key), noAbort())).resolves.toBe('unlocked');
  });

  it('can be opened while one of them answers nothing', async () => {
    etcd.members[0]!.pause();
    const other = await openEtcd(etcd.endpoints);
    await expect(other.ping(noAbort())).resolves.toBeUndefined();
    await other.close();
  });

  it('grants, refuses and releases nothing without a majority, and keeps what is held', async () => {
    const held = tryCall(toKey());
    await store.tryLock(held, noAbort());
    const [, second, third] = etcd.members;
    await second!.kill();
    await third!.kill();
    const failure = { name: 'StoreError', kind: 'unavailable' };
    const call = tryCall(toKey());
    await eventually(
      async () => {
        await expect(store.tryLock(call, noAbort())).rejects.toMatchObject(failure);
      },
      { withinMs: 15_000 },
    );
    await expect(store.tryLock(tryCall(held.key), noAbort())).rejects.toMatchObject(failure);
    await expect(store.unlock(unlockCall(held.key), noAbort())).rejects.toMatchObject(failure);
    await expect(store.ping(noAbort())).rejects.toMatchObject(failure);
    const withdrawn = store.withdraw(call);
    etcd.relaunch(second!);
    await withdrawn;
    await eventually(
      async () => {
        await expect(store.views!.get(held.key, noAbort())).resolves.toMatchObject({ owner: 'a' });
      },
      { withinMs: 15_000 },
    );
    await expect(store.views!.get(call.key, noAbort())).resolves.toBeUndefined();
  }, 60_000);
});

describe('an etcd with users', () => {
  let etcd: EtcdCluster;
  const user = { username: 'holdfast', password: 'secret' };
  beforeAll(async () => {
    etcd = await startEtcd({ args: ['--auth-token-ttl', '1'] });
    const [member] = etcd.members;
    const call = (path: string, body: object) => callGateway(member!, path, body);
    await call('auth/user/add', { name: 'root', password: 'root' });
    await call('auth/role/add', { name: 'root' });
    await call('auth/user/grant', { user: 'root', role: 'root' });
    await call('auth/user/add', { name: user.username, password: user.password });
    await call('auth/role/add', { name: 'locks' });
    const range = { key: toBase64('lock'), range_end: toBase64('locl') };
    await call('auth/role/grant', { name: 'locks', perm: { permType: 'READWRITE', ...range } });
    await call('auth/user/grant', { user: user.username, role: 'locks' });
    await call('auth/enable', {});
  });
  afterAll(() => etcd.stop());

  it('serves all calls to a user with the documented permission', async () => {
    const store = await openEtcd(etcd.endpoints, user);
    const call = tryCall(toKey());
    await expect(store.tryLock(call, noAbort())).resolves.toMatchObject({ acquired: true });
    const renewal = { ...call, ttlMs: 120_000 };
    await expect(store.leases!.renew(renewal, noAbort())).resolves.toMatchObject({
      status: 'renewed',
    });
    await expect(store.views!.get(call.key, noAbort())).resolves.toMatchObject({ owner: 'a' });
    const page = await store.views!.list({ keyPrefix: 'lock||faults||', pageSize: 9 }, noAbort());
    expect(page.locks).toHaveLength(1);
    await expect(store.unlock(unlockCall(call.key), noAbort())).resolves.toBe('unlocked');
    await store.close();
  });

  it('gives a new token to a store whose token has expired', async () => {
    const store = await openEtcd(etcd.endpoints, user);
    const idleUntilMs = performance.now() + 3500;
    await eventually(() => {
      expect(performance.now()).toBeGreaterThan(idleUntilMs);
    });
    const call = tryCall(toKey());
    await expect(store.tryLock(call, noAbort())).resolves.toMatchObject({ acquired: true });
    await store.close();
  });

  it('gives a new token after the user was given another role', async () => {
    const store = await openEtcd(etcd.endpoints, user);
    const [member] = etcd.members;
    const { token } = await callGateway(member!, 'auth/authenticate', {
      name: 'root',
      password: 'root',
    });
    const role = randomUUID();
    const asRoot = (path: string, body: object) => callGateway(member!, path, body, String(token));
    await asRoot('auth/role/add', { name: role });
    // This ends all tokens of the user.
    await asRoot('auth/user/grant', { user: user.username, role });
    const call = tryCall(toKey());
    await expect(store.tryLock(call, noAbort())).resolves.toMatchObject({ acquired: true });
    await store.close();
  });

  it.each([
    ['a wrong password', { ...user, password: 'wrong' }, 'etcd refused the user or the password'],
    ['no user', {}, 'etcd requires a user and a password'],
    [
      'keys that the user may not use',
      { ...user, keyPrefixPath: '/other/' },
      'the etcd user lacks a permission',
    ],
  ])('ends the start at once with %s', async (_name, metadata, message) => {
    const { store } = createEtcd(etcd.endpoints, metadata);
    const failure = { kind: 'rejected', message: expect.stringContaining(message) as string };
    await expect(store.init(noAbort())).rejects.toMatchObject(failure);
    await store.close();
  });
});

describe('an etcd without users', () => {
  it('ends the start of a store that names one', async () => {
    const etcd = await startEtcd();
    const { store } = createEtcd(etcd.endpoints, { username: 'a', password: 'b' });
    const message = expect.stringContaining('etcd has no users') as string;
    await expect(store.init(noAbort())).rejects.toMatchObject({ kind: 'rejected', message });
    await store.close();
    await etcd.stop();
  });
});

describe('an etcd that has reached its disk quota', () => {
  it('takes nothing, says why, and still releases', async () => {
    const etcd = await startEtcd({ args: ['--quota-backend-bytes', String(2 ** 20)] });
    const store = await openEtcd(etcd.endpoints);
    const held = tryCall(toKey());
    await store.tryLock(held, noAbort());
    const [member] = etcd.members;
    const fill = async () => {
      for (let at = 0; at < 50; at += 1) {
        const pair = { key: toBase64(`fill-${at}`), value: toBase64('x'.repeat(60_000)) };
        await callGateway(member!, 'kv/put', pair);
      }
    };
    await expect(fill()).rejects.toThrow('database space exceeded');
    const message = expect.stringContaining('etcd has reached its disk quota') as string;
    const failure = { kind: 'unavailable', outcome: 'not-applied', message };
    await expect(store.tryLock(tryCall(toKey()), noAbort())).rejects.toMatchObject(failure);
    const renewal = { ...held, ttlMs: 120_000 };
    await expect(store.leases!.renew(renewal, noAbort())).rejects.toMatchObject(failure);
    await expect(store.unlock(unlockCall(held.key), noAbort())).resolves.toBe('unlocked');
    await expect(store.views!.get(held.key, noAbort())).resolves.toBeUndefined();
    await store.close();
    await etcd.stop();
  });
});
