import path from 'node:path';

import type { LockStore } from '../../src/lock/lock-store';
import { type EtcdCluster, startEtcd } from '../support/etcd-server';
import { createEtcd, noAbort, openEtcd, tryCall } from './etcd-fixture';

/** A self-signed certificate for localhost, good for a hundred years; it guards nothing. */
const TLS_FOLDER = path.join(__dirname, '../fixtures/tls');
const CERTIFICATE = path.join(TLS_FOLDER, 'server.crt');
const KEY = path.join(TLS_FOLDER, 'server.key');
const TRUSTING = { tlsEnable: 'true', ca: CERTIFICATE, tlsServerName: 'localhost' };

describe('lock.etcd over TLS', () => {
  let etcd: EtcdCluster;
  let store: LockStore | undefined;
  const start = async (...more: readonly string[]) => {
    const metadata = { ...TRUSTING, cert: CERTIFICATE, key: KEY };
    etcd = await startEtcd({
      scheme: 'https',
      args: ['--cert-file', CERTIFICATE, '--key-file', KEY, ...more],
      isReady: async ({ endpoint }) => {
        const probe = createEtcd(endpoint, metadata).store;
        await probe.init(AbortSignal.timeout(1000)).finally(() => probe.close());
        return true;
      },
    });
  };
  afterEach(async () => {
    await store?.close();
    await etcd.stop();
  });
  const fails = async (metadata: Readonly<Record<string, string>>, message: RegExp) => {
    store = createEtcd(etcd.endpoints, metadata).store;
    const failure = { message: expect.stringMatching(message) as string };
    await expect(store.init(noAbort())).rejects.toMatchObject({ kind: 'rejected', ...failure });
  };

  it('trusts an authority of its own, for the name that it is told', async () => {
    await start();
    store = await openEtcd(etcd.endpoints, TRUSTING);
    const result = await store.tryLock(tryCall('lock||tls||a'), noAbort());
    expect(result).toMatchObject({ acquired: true });
  });

  it('ends the start at once if nobody vouches for the certificate', async () => {
    await start();
    await fails({ tlsEnable: 'true' }, /error connecting to etcd: self-signed certificate \(/);
  });

  it('ends the start at once if the certificate is for another name', async () => {
    await start();
    await fails(
      { ...TRUSTING, tlsServerName: 'other.test' },
      /does not match certificate's altnames/,
    );
  });

  it('shows its own certificate to a server that asks for one', async () => {
    await start('--client-cert-auth', '--trusted-ca-file', CERTIFICATE);
    store = await openEtcd(etcd.endpoints, { ...TRUSTING, cert: CERTIFICATE, key: KEY });
    const result = await store.tryLock(tryCall('lock||tls||b'), noAbort());
    expect(result).toMatchObject({ acquired: true });
  });
});
