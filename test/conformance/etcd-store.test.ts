import { MetadataProperties } from '../../src/components/metadata-properties';
import { etcdDriver } from '../../src/stores/etcd/etcd-driver';
import { type EtcdCluster, startEtcd } from '../support/etcd-server';
import { RecordingLogger } from '../support/recording-logger';
import { describeLeases } from './leases';
import { describeLockStore } from './lock-store';
import { describeQueue } from './queue';
import { describeViews } from './views';

let etcd: EtcdCluster;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());

const createStore = () =>
  etcdDriver.create({
    componentName: 'lockstore',
    properties: new MetadataProperties([['endpoints', etcd.endpoints]]),
    logger: new RecordingLogger(),
  });

describeLockStore('lock.etcd', createStore);
describeLeases('lock.etcd', createStore, { leaseUnitMs: 1000 });
describeQueue('lock.etcd', createStore);
describeViews('lock.etcd', createStore);
