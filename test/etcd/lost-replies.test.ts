import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

import type { LockStore } from '../../src/lock/lock-store';
import { eventually } from '../support/eventually';
import { type EtcdCluster, startEtcd } from '../support/etcd-server';
import { TcpProxy } from '../support/tcp-proxy';
import { noAbort, openEtcd, tryCall, unlockCall } from './etcd-fixture';

/**
 * A call consists of several sends. The network fails at one of these moments after its begin, in
 * milliseconds, so that each send is hit in some of the rounds.
 */
const MOMENTS_MS = Array.from({ length: 16 }, (_, index) => index * 0.5);

/** How long the network fails, in milliseconds. The next connection works. */
const FAILS_FOR_MS = 80;

describe('a call to etcd', () => {
  let etcd: EtcdCluster;
  let proxy: TcpProxy;
  let direct: LockStore;
  let store: LockStore;
  beforeAll(async () => {
    etcd = await startEtcd();
    proxy = await TcpProxy.start(etcd.members[0]!.port);
    direct = await openEtcd(etcd.endpoints);
    store = await openEtcd(`127.0.0.1:${proxy.port}`, { requestTimeout: '150ms' });
  });
  afterAll(async () => {
    await store.close();
    await direct.close();
    await proxy.stop();
    await etcd.stop();
  });

  const toKey = () => `lock||lost||${randomUUID()}`;
  const fail = async (how: 'dropReplies' | 'dropRequests' | 'holdRequests', atMs: number) => {
    await pause(atMs);
    proxy[how] = true;
    await pause(FAILS_FOR_MS);
    proxy[how] = false;
  };
  const isFree = async (key: string) => (await direct.views!.get(key, noAbort())) === undefined;

  describe.each(['dropReplies', 'dropRequests'] as const)('under %s', (how) => {
    it('is recognised when it is repeated: a try', async () => {
      for (const atMs of MOMENTS_MS) {
        const key = toKey();
        const [result] = await Promise.all([
          store.tryLock(tryCall(key), noAbort()),
          fail(how, atMs),
        ]);
        expect(result.acquired).toBe(true);
        const view = await direct.views!.get(key, noAbort());
        expect(view).toMatchObject({ owner: 'a', fencingToken: result.grant!.fencingToken });
        await expect(direct.unlock(unlockCall(key), noAbort())).resolves.toBe('unlocked');
      }
    });

    it('is recognised when it is repeated: an unlock', async () => {
      for (const atMs of MOMENTS_MS) {
        const key = toKey();
        await direct.tryLock(tryCall(key), noAbort());
        const [outcome] = await Promise.all([
          store.unlock(unlockCall(key), noAbort()),
          fail(how, atMs),
        ]);
        expect(outcome).toBe('unlocked');
        await expect(isFree(key)).resolves.toBe(true);
      }
    });

    it('has one grant and one token whatever was lost: a renewal', async () => {
      for (const atMs of MOMENTS_MS) {
        const call = tryCall(toKey());
        const { grant } = await direct.tryLock(call, noAbort());
        const { fencingToken } = grant!;
        const [renewed] = await Promise.all([
          store.leases!.renew({ ...call, fencingToken, ttlMs: 90_000 }, noAbort()),
          fail(how, atMs),
        ]);
        expect(renewed).toMatchObject({ status: 'renewed', grant: { fencingToken } });
        const view = await direct.views!.get(call.key, noAbort());
        expect(view!.leftMs).toBeGreaterThan(80_000);
        await direct.unlock(unlockCall(call.key), noAbort());
      }
    });
  });

  describe('that arrives after all was over', () => {
    /** Lets what was held arrive, and waits until etcd has answered something later. */
    const deliver = async (): Promise<void> => {
      proxy.deliverHeld();
      await pause(20);
      await direct.ping(noAbort());
    };

    it('takes no lock', async () => {
      for (const atMs of MOMENTS_MS) {
        const key = toKey();
        const [result] = await Promise.all([
          store.tryLock(tryCall(key), noAbort()),
          fail('holdRequests', atMs),
        ]);
        expect(result.acquired).toBe(true);
        await store.unlock(unlockCall(key), noAbort());
        await deliver();
        await expect(isFree(key)).resolves.toBe(true);
      }
    });

    it('takes no lock after its withdrawal', async () => {
      for (const atMs of MOMENTS_MS) {
        const call = tryCall(toKey());
        const gone = new AbortController();
        const trying = store.tryLock(call, gone.signal).catch(() => undefined);
        const failing = fail('holdRequests', atMs);
        await pause(atMs + 10);
        gone.abort();
        await trying;
        await Promise.all([store.withdraw(call), failing]);
        await deliver();
        await expect(isFree(call.key)).resolves.toBe(true);
      }
    });

    it('leaves no ticket behind', async () => {
      const holder = tryCall(toKey());
      await direct.tryLock(holder, noAbort());
      for (const atMs of MOMENTS_MS) {
        const waitUntilMs = performance.now() + 60_000;
        const call = { ...tryCall(holder.key), waitUntilMs };
        const gone = new AbortController();
        const asking = store.queue!.ask(call, gone.signal).catch(() => undefined);
        const failing = fail('holdRequests', atMs);
        await pause(atMs + 10);
        gone.abort();
        await asking;
        await Promise.all([store.queue!.leave(call), failing]);
        await deliver();
        await expect(direct.views!.get(holder.key, noAbort())).resolves.toMatchObject({
          owner: 'a',
          waiters: 0,
        });
        // Its session lives on: what is on its way still has its lease.
        await store.queue!.refresh([holder.key], noAbort());
      }
    });

    it('releases no later lock of the same owner', async () => {
      for (const atMs of MOMENTS_MS) {
        const key = toKey();
        await direct.tryLock(tryCall(key), noAbort());
        await Promise.all([store.unlock(unlockCall(key), noAbort()), fail('holdRequests', atMs)]);
        await direct.tryLock(tryCall(key), noAbort());
        await deliver();
        await expect(isFree(key)).resolves.toBe(false);
      }
    });
  });

  it('is answered soon after a network that has swallowed the handshakes works again', async () => {
    const endpoint = `127.0.0.1:${proxy.port}`;
    const patient = await openEtcd(endpoint, { dialTimeout: '60s', requestTimeout: '150ms' });
    try {
      proxy.dropRequests = true;
      await expect(patient.ping(noAbort())).rejects.toMatchObject({ kind: 'deadline' });
      // Until the first attempts to connect again have fallen silent.
      await pause(1500);
      proxy.dropRequests = false;
      await eventually(() => patient.ping(noAbort()), { withinMs: 10_000 });
    } finally {
      proxy.heal();
      await patient.close();
    }
  });
});
