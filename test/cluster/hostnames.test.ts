import type { LockStore } from '../../src/lock/lock-store';
import { eventually } from '../support/eventually';
import { RedisCluster } from '../support/redis-cluster';
import { createClusterStore, takeEverywhere } from './cluster-fixture';

let cluster: RedisCluster;
let store: LockStore | undefined;
beforeAll(async () => {
  const args = ['--cluster-preferred-endpoint-type', 'hostname'];
  cluster = await RedisCluster.start({ masters: 2, replicas: 0, args });
}, 60_000);
afterEach(() => store?.close());
afterAll(() => cluster.stop());

/** The hosts of all masters, as the cluster tells them. */
const hostsTold = async (): Promise<readonly string[]> => {
  const slots = await cluster.ask(cluster.servers[0]!, ['CLUSTER', 'SLOTS']);
  const hosts = (slots as [number, number, [string, number]][]).map(([, , [host]]) => host);
  return [...new Set(hosts)].sort();
};

const open = async (): Promise<LockStore> => {
  const opened = createClusterStore(cluster).store;
  store = opened;
  await opened.init(AbortSignal.timeout(20_000));
  return opened;
};

describe('lock.redis on a cluster that tells hostnames', () => {
  it('reaches nodes that have announced none by their IP addresses', async () => {
    expect(await hostsTold()).toEqual(['?']);
    await takeEverywhere(cluster, await open());
  });

  it('reaches every node by its hostname', async () => {
    const set = ['CONFIG', 'SET', 'cluster-announce-hostname', 'localhost'];
    for (const server of cluster.servers) await cluster.ask(server, set);
    await eventually(async () => {
      expect(await hostsTold()).toEqual(['localhost']);
    });
    await takeEverywhere(cluster, await open());
  });
});
