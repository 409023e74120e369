import type { LockStore } from '../../src/lock/lock-store';
import { acquire, callOn, forever } from '../conformance/ability-fixture';
import { eventually } from '../support/eventually';
import type { RecordingLogger } from '../support/recording-logger';
import { TcpProxy } from '../support/tcp-proxy';
import { createClusterStore } from './cluster-fixture';
import { FaultyCluster } from './fault-run/faulty-cluster';

const HOST = '127.0.1.1';

let server: FaultyCluster;
let proxy: TcpProxy;
let store: LockStore;
let logger: RecordingLogger;
beforeAll(async () => {
  server = await FaultyCluster.start();
  proxy = await TcpProxy.startOn(HOST, server.ports);
  const metadata = { readTimeout: '300ms', writeTimeout: '300ms' };
  ({ store, logger } = createClusterStore({ metadata: server.metadataAt(HOST) }, metadata));
  await store.init(AbortSignal.timeout(20_000));
}, 60_000);
afterAll(async () => {
  await store.close();
  await proxy.stop();
  await server.stop();
});

describe('links to masters that have fallen silent', () => {
  it('are found and replaced while there are no calls', async () => {
    proxy.dropRequests = true;
    const texts = (): string => JSON.stringify(logger);
    await eventually(
      () => {
        expect(texts()).toMatch(
          /Connection to Redis node .* lost: Redis did not reply within 300 ms/,
        );
      },
      { withinMs: 30_000 },
    );
    proxy.heal();
    await eventually(() => store.ping(forever()), { withinMs: 20_000 });
    await acquire(store, callOn());
  }, 60_000);
});
