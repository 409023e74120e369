import path from 'node:path';

import type { LockStore } from '../../src/lock/lock-store';
import { forever } from '../conformance/ability-fixture';
import { findFreePort } from '../support/free-port';
import { RedisCluster } from '../support/redis-cluster';
import { createClusterStore, takeEverywhere } from './cluster-fixture';

/** A self-signed certificate for localhost, good for a hundred years; it guards nothing. */
const TLS_FOLDER = path.join(__dirname, '../fixtures/tls');
const CERTIFICATE = path.join(TLS_FOLDER, 'server.crt');
const KEY = path.join(TLS_FOLDER, 'server.key');

const tlsPorts = new Map<number, number>();
let cluster: RedisCluster;
let store: LockStore | undefined;
beforeAll(async () => {
  const argsOf = async (port: number): Promise<readonly string[]> => {
    const tlsPort = await findFreePort();
    tlsPorts.set(port, tlsPort);
    return ['--tls-port', String(tlsPort), '--cluster-port', String(port + 10_000)];
  };
  const files = ['--tls-cert-file', CERTIFICATE, '--tls-key-file', KEY];
  const peers = ['--tls-ca-cert-file', CERTIFICATE, '--tls-auth-clients', 'no'];
  const args = [...files, ...peers, '--tls-cluster', 'yes', '--tls-replication', 'yes'];
  cluster = await RedisCluster.start({ masters: 2, replicas: 0, args, argsOf });
}, 60_000);
afterEach(() => store?.close());
afterAll(() => cluster.stop());

const open = async (metadata: Readonly<Record<string, string>>): Promise<LockStore> => {
  const redisHost = `localhost:${tlsPorts.get(cluster.servers[0]!.port)}`;
  const given = { redisHost, enableTLS: 'true', ...metadata };
  const opened = createClusterStore(cluster, given).store;
  store = opened;
  await opened.init(AbortSignal.timeout(20_000));
  return opened;
};

describe('lock.redis on a cluster over TLS', () => {
  it('reaches every node at its TLS port, by the name that it is told', async () => {
    await takeEverywhere(cluster, await open({ caCert: CERTIFICATE, tlsServerName: 'localhost' }));
  });

  it('refuses nodes whose certificate is for another name', async () => {
    const refused = open({ caCert: CERTIFICATE, tlsServerName: 'other.test' });
    await expect(refused).rejects.toMatchObject({ kind: 'rejected' });
    await expect(refused).rejects.toThrow(/Hostname\/IP does not match certificate's altnames/);
  });

  it('verifies the hostnames that the nodes announce', async () => {
    for (const server of cluster.servers) {
      const set = (name: string, value: string) =>
        cluster.ask(server, ['CONFIG', 'SET', name, value]);
      await set('cluster-announce-hostname', 'localhost');
      await set('cluster-preferred-endpoint-type', 'hostname');
    }
    await takeEverywhere(cluster, await open({ caCert: CERTIFICATE }));
    await expect(store!.ping(forever())).resolves.toBeUndefined();
  });
});
