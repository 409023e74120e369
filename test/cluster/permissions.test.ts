import { readFileSync } from 'node:fs';
import path from 'node:path';

import { createAttempt } from '../../src/lock/attempt';
import type { LockStore } from '../../src/lock/lock-store';
import {
  acquire,
  beGranted,
  callOn,
  forever,
  RecordingListener,
} from '../conformance/ability-fixture';
import { eventually } from '../support/eventually';
import { RedisCluster } from '../support/redis-cluster';
import { createClusterStore } from './cluster-fixture';

const DOCS = readFileSync(path.join(__dirname, '../../docs/configuration.md'), 'utf8');

/** The rules of a line of the docs. */
const rulesIn = (line: RegExp): readonly string[] => {
  const [, rules] = line.exec(DOCS) ?? [];
  if (rules === undefined) throw new Error(`the docs have no line ${String(line)}`);
  return rules.split(' ');
};

/** The permissions in the docs: those of every Redis, and those of a cluster. */
const leastRules = (version: number): readonly string[] => {
  const plain = rulesIn(/^ACL SETUSER locks on >password (.*)$/m);
  if (version >= 7) return [...plain, ...rulesIn(/^ACL SETUSER locks (~.*)$/m)];
  const older = rulesIn(/^Before Redis 7, add `(~[^`]*)`/m);
  return [...plain.filter((rule) => rule !== '+pexpiretime'), ...older];
};

let cluster: RedisCluster;
let store: LockStore;
beforeAll(async () => {
  cluster = await RedisCluster.start({ masters: 2, replicas: 1 });
  const info = (await cluster.ask(cluster.servers[0]!, ['INFO', 'server'])) as string;
  const rules = leastRules(Number(/redis_version:(\d+)/.exec(info)?.[1]));
  for (const server of cluster.servers) {
    const user = ['ACL', 'SETUSER', 'locks', 'reset', 'on', '>password'];
    await cluster.ask(server, [...user, ...rules, '+wait']);
  }
  const user = { redisUsername: 'locks', redisPassword: 'password' };
  store = createClusterStore(cluster, { ...user, minReplicasToAcknowledge: '1' }).store;
  await store.init(AbortSignal.timeout(20_000));
}, 60_000);
afterAll(async () => {
  await store.close();
  await cluster.stop();
});

describe('a user with the least permissions in the docs', () => {
  it('can do everything on a cluster, and is refused nothing', async () => {
    const holder = callOn();
    const { key, owner } = holder;
    const { fencingToken } = await acquire(store, holder);
    const renewal = { key, owner, fencingToken, ttlMs: 60_000 };
    await expect(store.leases!.renew(renewal, forever())).resolves.toMatchObject({
      status: 'renewed',
    });
    await expect(store.views!.get(key, forever())).resolves.toMatchObject({ owner });
    const list = { keyPrefix: 'lock||', pageSize: 10, pageToken: undefined };
    await expect(store.views!.list(list, forever())).resolves.toBeDefined();
    const listener = new RecordingListener();
    store.queue!.listen(listener);
    const waiter = callOn({ key });
    await expect(store.queue!.ask(waiter, forever())).resolves.toMatchObject({ state: 'queued' });
    await store.queue!.refresh([key], forever());
    await store.unlock({ ...holder, attempt: createAttempt() }, forever());
    await eventually(() => {
      expect(listener.told).toContain(waiter.attempt.id);
    });
    await beGranted(store, waiter);
    await store.withdraw(waiter);
    await store.ping(forever());
    const refusals = await Promise.all(
      cluster.servers.map((server) => cluster.ask(server, ['ACL', 'LOG'])),
    );
    expect(refusals.flat()).toEqual([]);
  });
});
