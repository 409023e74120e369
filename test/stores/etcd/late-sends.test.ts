import { randomUUID } from 'node:crypto';

import { MetadataProperties } from '../../../src/components/metadata-properties';
import { createAttempt } from '../../../src/lock/attempt';
import type { TryLockCall } from '../../../src/lock/lock-store';
import { AttemptRecord } from '../../../src/stores/etcd/attempt-record';
import { loadEtcdApi, type TxnRequest, type TxnResponse } from '../../../src/stores/etcd/etcd-api';
import { EtcdKeys, toValue } from '../../../src/stores/etcd/etcd-keys';
import { readLease } from '../../../src/stores/etcd/etcd-leases';
import { type EtcdCalls, EtcdLink } from '../../../src/stores/etcd/etcd-link';
import { parseEtcdSettings } from '../../../src/stores/etcd/etcd-settings';
import { release } from '../../../src/stores/etcd/release';
import { renew } from '../../../src/stores/etcd/renew';
import { take } from '../../../src/stores/etcd/take';
import { withdrawRelease, withdrawTake } from '../../../src/stores/etcd/withdraw';
import { eventually } from '../../support/eventually';
import { type EtcdCluster, startEtcd } from '../../support/etcd-server';

/**
 * A way to etcd on which the transactions that change something are kept until they are delivered,
 * or whose answers are lost.
 */
class BadWay implements EtcdCalls {
  readonly #link: EtcdLink;
  readonly #fails: 'request' | 'answer' | 'lease';
  readonly #held: (() => Promise<unknown>)[] = [];

  constructor(link: EtcdLink, fails: 'request' | 'answer' | 'lease' = 'request') {
    this.#link = link;
    this.#fails = fails;
  }

  get api() {
    return this.#link.api;
  }

  call: EtcdCalls['call'] = async (method, request) => {
    const send = () => this.#link.call(method, request);
    const isLease = Object.is(method, this.api.grantLease);
    const isChange = Object.is(method, this.api.txn) && (request as TxnRequest).compare.length > 0;
    if (!(this.#fails === 'lease' ? isLease : isChange)) return send();
    if (this.#fails === 'answer') await send();
    else this.#held.push(send);
    return new Promise<never>(() => undefined);
  };

  explain: EtcdCalls['explain'] = (error) => this.#link.explain(error);

  /** True once something is kept or lost. */
  async untilFailed(work: Promise<unknown>): Promise<void> {
    const probe = this.#fails === 'answer' ? 100 : 0;
    const atMs = performance.now();
    void work;
    await eventually(() => {
      expect(this.#fails === 'answer' || this.#held.length > 0).toBe(true);
      expect(performance.now() - atMs).toBeGreaterThanOrEqual(probe);
    });
  }

  /** Sends what was kept. Its errors are answers, too. */
  async deliver(): Promise<readonly unknown[]> {
    const sends = this.#held.splice(0).map((send) => send().catch((error: unknown) => error));
    return Promise.all(sends);
  }
}

describe('a send to etcd that arrives late', () => {
  const keys = new EtcdKeys('');
  let etcd: EtcdCluster;
  let link: EtcdLink;
  beforeAll(async () => {
    etcd = await startEtcd();
    const settings = parseEtcdSettings(new MetadataProperties([['endpoints', etcd.endpoints]]));
    const options = { settings, api: loadEtcdApi(), endpoint: settings.endpoints[0] };
    link = await EtcdLink.open(options, new AbortController().signal);
  });
  afterAll(async () => {
    link.end(new Error('over'));
    await etcd.stop();
  });

  const toCall = (key = `lock||late||${randomUUID()}`): TryLockCall => ({
    key,
    owner: 'a',
    ttlMs: 60_000,
    attempt: createAttempt(),
  });
  const heldAt = async (key: string) => {
    const { kvs } = await link.call(link.api.range, { key: keys.lock(key) });
    return kvs[0];
  };
  const takeBy = (way: EtcdCalls, call: TryLockCall, record = new AttemptRecord()) =>
    take(way, { keys, call, record });
  const releaseBy = (way: EtcdCalls, key: string, record = new AttemptRecord()) => {
    const terms = { key, owner: 'a', attempt: createAttempt() };
    return (by: EtcdCalls = way) => release(by, { keys, terms, record });
  };
  const toWithdrawal = ({ key, owner, attempt }: TryLockCall) => ({
    key: keys.lock(key),
    value: toValue({ attemptId: attempt.id, owner }),
    left: keys.left(attempt.id),
  });

  it('takes nothing once a later send was answered and its lock released', async () => {
    const [call, record, way] = [toCall(), new AttemptRecord(), new BadWay(link)];
    await way.untilFailed(takeBy(way, call, record));
    await expect(takeBy(link, call, record)).resolves.toHaveProperty('grant');
    await releaseBy(link, call.key)();
    await expect(way.deliver()).resolves.toMatchObject([
      { details: expect.stringContaining('lease not found') as string },
    ]);
    await expect(heldAt(call.key)).resolves.toBeUndefined();
  });

  it('takes nothing once a later send was refused', async () => {
    const [call, record, way] = [toCall(), new AttemptRecord(), new BadWay(link)];
    await way.untilFailed(takeBy(way, call, record));
    await takeBy(link, toCall(call.key));
    await expect(takeBy(link, call, record)).resolves.toHaveProperty('refused');
    await releaseBy(link, call.key)();
    await way.deliver();
    await expect(heldAt(call.key)).resolves.toBeUndefined();
  });

  it('takes nothing that somebody waits for by then', async () => {
    const [call, way] = [toCall(), new BadWay(link)];
    await way.untilFailed(takeBy(way, call));
    const ticket = keys.ticket(call.key, '1', createAttempt().id);
    const put = { requestPut: { key: ticket, value: Buffer.alloc(0), lease: '0' } };
    await link.call(link.api.txn, { compare: [], success: [put] });
    await expect(way.deliver()).resolves.toMatchObject([{ succeeded: false }]);
    await expect(heldAt(call.key)).resolves.toBeUndefined();
  });

  it('takes nothing once it was withdrawn', async () => {
    const [call, record, way] = [toCall(), new AttemptRecord(), new BadWay(link)];
    await way.untilFailed(takeBy(way, call, record));
    record.withdraw();
    await withdrawTake(link, record, toWithdrawal(call));
    await way.deliver();
    await expect(heldAt(call.key)).resolves.toBeUndefined();
  });

  it('takes nothing if only its lease was sent when it was withdrawn', async () => {
    const [call, record, way] = [toCall(), new AttemptRecord(), new BadWay(link, 'lease')];
    await way.untilFailed(takeBy(way, call, record));
    record.withdraw();
    await withdrawTake(link, record, toWithdrawal(call));
    await way.deliver();
    await expect(heldAt(call.key)).resolves.toBeUndefined();
  });

  it('is recognised if only its answer was lost, with its token', async () => {
    const [call, record, way] = [toCall(), new AttemptRecord(), new BadWay(link, 'answer')];
    await way.untilFailed(takeBy(way, call, record));
    const { createRevision } = (await heldAt(call.key))!;
    await expect(takeBy(link, call, record)).resolves.toMatchObject({
      grant: { fencingToken: Number(createRevision) },
    });
  });

  it('releases no later lock of the same owner', async () => {
    const [call, way] = [toCall(), new BadWay(link)];
    await takeBy(link, call);
    const releasing = releaseBy(way, call.key);
    await way.untilFailed(releasing());
    await expect(releasing(link)).resolves.toBe('unlocked');
    await takeBy(link, toCall(call.key));
    await expect(way.deliver()).resolves.toMatchObject([{ succeeded: false }]);
    await expect(heldAt(call.key)).resolves.toBeDefined();
  });

  it('releases nothing once the release was withdrawn, even after a renewal', async () => {
    for (const isRenewed of [false, true]) {
      const [call, record, way] = [toCall(), new AttemptRecord(), new BadWay(link)];
      await takeBy(link, call);
      const attempt = createAttempt();
      const terms = { key: call.key, owner: 'a', attempt };
      await way.untilFailed(release(way, { keys, terms, record }));
      record.withdraw();
      const marks = { key: keys.lock(call.key), trace: keys.trace(call.key, attempt.id) };
      await withdrawRelease(link, record, marks);
      if (isRenewed) await renew(link, { keys, call: { ...call, ttlMs: 90_000 } });
      await expect(way.deliver()).resolves.toMatchObject([{ succeeded: false }]);
      await expect(heldAt(call.key)).resolves.toBeDefined();
    }
  });

  it('is recognised if only its answer was lost: a release', async () => {
    const [call, way] = [toCall(), new BadWay(link, 'answer')];
    await takeBy(link, call);
    const releasing = releaseBy(way, call.key);
    await way.untilFailed(releasing());
    await takeBy(link, toCall(call.key));
    await expect(releasing(link)).resolves.toBe('unlocked');
    await expect(heldAt(call.key)).resolves.toBeDefined();
  });

  it('has an unknown outcome if its trace is over, too: a release', async () => {
    const [call, way] = [{ ...toCall(), ttlMs: 1000 }, new BadWay(link, 'answer')];
    await takeBy(link, call);
    const { lease } = (await heldAt(call.key))!;
    const releasing = releaseBy(way, call.key);
    await way.untilFailed(releasing());
    await eventually(async () => {
      await expect(readLease(link, lease)).resolves.toBeUndefined();
    });
    await expect(releasing(link)).rejects.toMatchObject({ outcome: 'unknown' });
  });

  it('shortens no lease that was renewed for longer since', async () => {
    const [call, way] = [toCall(), new BadWay(link)];
    await takeBy(link, call);
    await way.untilFailed(renew(way, { keys, call: { ...call, ttlMs: 90_000 } }));
    await renew(link, { keys, call: { ...call, ttlMs: 600_000 } });
    const [answer] = (await way.deliver()) as TxnResponse[];
    expect(answer).toMatchObject({ succeeded: false });
    const { lease } = (await heldAt(call.key))!;
    const left = await readLease(link, lease);
    expect(left!.leftMs).toBeGreaterThan(500_000);
  });
});
