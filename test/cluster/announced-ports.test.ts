import type { LockStore } from '../../src/lock/lock-store';
import { acquire, callOn, forever } from '../conformance/ability-fixture';
import { eventually } from '../support/eventually';
import { RedisCluster } from '../support/redis-cluster';
import { TcpProxy } from '../support/tcp-proxy';
import { createClusterStore } from './cluster-fixture';

/** As a network that translates addresses: each node is reached at a port that it does not listen on. */
const proxies: TcpProxy[] = [];
let cluster: RedisCluster;
let store: LockStore;
beforeAll(async () => {
  const argsOf = async (port: number): Promise<readonly string[]> => {
    const proxy = await TcpProxy.start(port);
    proxies.push(proxy);
    const announced = ['--cluster-announce-ip', '127.0.0.1'];
    const ports = ['--cluster-announce-port', String(proxy.port)];
    return [...announced, ...ports, '--cluster-announce-bus-port', String(port + 10_000)];
  };
  cluster = await RedisCluster.start({ masters: 2, replicas: 0, argsOf });
  const redisHost = `127.0.0.1:${proxies[0]!.port}`;
  store = createClusterStore(cluster, { redisHost }).store;
  await store.init(AbortSignal.timeout(20_000));
}, 60_000);
afterAll(async () => {
  await store.close();
  await cluster.stop();
  await Promise.all(proxies.map((proxy) => proxy.stop()));
});

describe('lock.redis on a cluster whose nodes announce other ports', () => {
  it('takes locks on every master', async () => {
    const calls = Array.from({ length: 20 }, () => callOn());
    for (const call of calls) await acquire(store, call);
    await expect(store.ping(forever())).resolves.toBeUndefined();
  });

  it('reaches every node only there', async () => {
    for (const proxy of proxies) {
      proxy.refuse = true;
      proxy.cut();
      await eventually(async () => {
        await expect(store.ping(forever())).rejects.toMatchObject({ kind: 'unavailable' });
      });
      proxy.heal();
      await eventually(() => store.ping(forever()));
    }
  });
});
