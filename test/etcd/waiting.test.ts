import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

import { startInProcess } from '../faults/in-process-sidecar';
import type { LockRequest } from '../faults/lock-request';
import type { SidecarUnderTest } from '../faults/sidecar-under-test';
import { eventually } from '../support/eventually';
import { type EtcdCluster, startEtcd } from '../support/etcd-server';
import { callGateway, findLeader, toBase64 } from './etcd-admin';
import { createEtcd, noAbort, openEtcd } from './etcd-fixture';

/** How long a request to etcd waits for its reply by default, in milliseconds. */
const SEND_WAITS_MS = 3000;

describe('a call that waits for a lock on a cluster of three members', () => {
  let etcd: EtcdCluster;
  let holding: SidecarUnderTest;
  let waiting: SidecarUnderTest;
  beforeEach(async () => {
    etcd = await startEtcd({ members: 3 });
    const [first, second, third] = etcd.members.map(({ endpoint }) => endpoint);
    const start = (at: number, others: string) =>
      startInProcess(
        etcd.members[at]!.port,
        (port) => createEtcd(`127.0.0.1:${port},${others}`).store,
        SEND_WAITS_MS,
      );
    holding = await start(0, `${second!},${third!}`);
    waiting = await start(1, `${first!},${third!}`);
  });
  afterEach(async () => {
    await holding.stop();
    await waiting.stop();
    await etcd.stop();
  });

  const toRequest = (given: Partial<LockRequest>): LockRequest => ({
    kind: 'acquire',
    resourceId: 'r',
    owner: 'a',
    ttlMs: 60_000,
    waitMs: 30_000,
    deadlineMs: 40_000,
    over: 'grpc',
    ...given,
  });

  /** The lock is held, and waited for, while something is broken; then it is released. */
  const handOver = async (breakIt: () => Promise<void>) => {
    const resourceId = randomUUID();
    await holding.call(toRequest({ resourceId, waitMs: 0 }));
    const waits = waiting.call(toRequest({ resourceId, owner: 'b' }));
    await pause(500);
    await breakIt();
    const released = await holding.call(toRequest({ kind: 'release', resourceId }));
    expect(released.answer).toBe('unlocked');
    await expect(waits).resolves.toMatchObject({ answer: 'acquired' });
  };

  /** Ends the lease of all tickets, as etcd does where a sidecar was away for longer than they live. */
  const endSession = async () => {
    const [member] = etcd.members;
    const range = { key: toBase64('lock-queue'), range_end: toBase64('lock-queuf') };
    const { kvs } = await callGateway(member!, 'kv/range', range);
    const [ticket] = kvs as readonly { readonly lease: string }[];
    await callGateway(member!, 'lease/revoke', { ID: ticket!.lease });
  };

  it('has it when it is released after the leader was killed', async () => {
    await handOver(async () => {
      await (await findLeader(etcd.members))!.kill();
    });
  }, 60_000);

  it('has it when it is released after the member that it watches was stopped', async () => {
    await handOver(async () => {
      etcd.members[1]!.pause();
    });
    etcd.members[1]!.resume();
  }, 60_000);

  it('has it when it is released after everything until now was compacted', async () => {
    await handOver(async () => {
      const [member] = etcd.members;
      const key = Buffer.from('k').toString('base64');
      const put = await callGateway(member!, 'kv/put', { key, value: key });
      const { revision } = put.header as { readonly revision: string };
      await callGateway(member!, 'kv/compaction', { revision, physical: true });
    });
  }, 60_000);

  it('has a ticket again when the session of its sidecar has ended', async () => {
    const resourceId = randomUUID();
    await holding.call(toRequest({ resourceId, waitMs: 0 }));
    const waits = waiting.call(toRequest({ resourceId, owner: 'b', waitMs: 60_000 }));
    const looking = await openEtcd(etcd.endpoints);
    const untilWaiters = (waiters: number) =>
      eventually(
        async () => {
          const view = await looking.views!.get(`lock||myapp||${resourceId}`, noAbort());
          expect(view).toMatchObject({ waiters });
        },
        { withinMs: 20_000 },
      );
    await untilWaiters(1);
    await endSession();
    await untilWaiters(1);
    await holding.call(toRequest({ kind: 'unlock', resourceId }));
    await expect(waits).resolves.toMatchObject({ answer: 'acquired' });
    await looking.close();
  }, 90_000);

  it('leaves nothing of its queue behind when its sidecar is gone', async () => {
    const resourceId = randomUUID();
    await holding.call(toRequest({ resourceId, waitMs: 0 }));
    const waits = waiting.call(toRequest({ resourceId, owner: 'b' }));
    await pause(500);
    const looking = await openEtcd(etcd.endpoints);
    const key = `lock||myapp||${resourceId}`;
    await expect(looking.views!.get(key, noAbort())).resolves.toMatchObject({ waiters: 1 });
    // Its network is gone: nothing can be withdrawn.
    waiting.proxy.refuse = true;
    waiting.proxy.cut();
    await waiting.mishaps?.restart('SIGTERM');
    await waits;
    await pause(5000);
    await expect(looking.views!.get(key, noAbort())).resolves.toMatchObject({ waiters: 0 });
    await looking.close();
  }, 60_000);
});
