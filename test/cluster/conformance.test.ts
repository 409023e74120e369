import { describeLeases } from '../conformance/leases';
import { describeLockStore } from '../conformance/lock-store';
import { describeQueue } from '../conformance/queue';
import { describeViews } from '../conformance/views';
import { RedisCluster } from '../support/redis-cluster';
import { createClusterStore } from './cluster-fixture';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start();
}, 60_000);
afterAll(() => cluster.stop());

const createStore = () => createClusterStore(cluster).store;

describeLockStore('lock.redis on a cluster', createStore);
describeLeases('lock.redis on a cluster', createStore);
describeQueue('lock.redis on a cluster', createStore);
describeViews('lock.redis on a cluster', createStore);
