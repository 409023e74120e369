import { readFileSync } from 'node:fs';
import path from 'node:path';

import { findFreePort } from '../../support/free-port';
import { type RedisServer, startRedisServer } from '../../support/redis-server';
import { createStore, noAbort, type StoreFixture, tryLockCall } from './redis-fixture';

/** A self-signed certificate for localhost, good for a hundred years; it guards nothing. */
const TLS_FOLDER = path.join(__dirname, '../../fixtures/tls');
const CERTIFICATE = path.join(TLS_FOLDER, 'server.crt');
const KEY = path.join(TLS_FOLDER, 'server.key');

describe('lock.redis over TLS', () => {
  let redis: RedisServer;
  let tlsPort: number;
  let fixture: StoreFixture;

  const startServer = async (authClients: string): Promise<void> => {
    tlsPort = await findFreePort();
    const files = ['--tls-cert-file', CERTIFICATE, '--tls-key-file', KEY];
    const clients = ['--tls-ca-cert-file', CERTIFICATE, '--tls-auth-clients', authClients];
    redis = await startRedisServer({ args: ['--tls-port', String(tlsPort), ...files, ...clients] });
  };
  const init = async (metadata: Readonly<Record<string, string>>): Promise<void> => {
    fixture = createStore(tlsPort, { enableTLS: 'true', ...metadata });
    await fixture.store.init(noAbort());
  };
  afterEach(async () => {
    await fixture.store.close();
    await redis.stop();
  });

  it('refuses a certificate that nobody vouches for', async () => {
    await startServer('no');
    await expect(init({})).rejects.toThrow(/^error connecting to Redis: .*self-signed/);
  });

  it('takes it where it is told not to look', async () => {
    await startServer('no');
    await init({ insecureSkipTLSVerify: 'true' });
    const result = await fixture.store.tryLock(tryLockCall('k'), noAbort());
    expect(result).toMatchObject({ acquired: true });
  });

  it('takes one of an authority of its own, for the name that it is told', async () => {
    await startServer('no');
    await init({ caCert: CERTIFICATE, tlsServerName: 'localhost' });
    const result = await fixture.store.tryLock(tryLockCall('k'), noAbort());
    expect(result).toMatchObject({ acquired: true });
  });

  it('refuses one for another name, whoever vouches for it', async () => {
    await startServer('no');
    await expect(init({ caCert: CERTIFICATE, tlsServerName: 'other.test' })).rejects.toThrow(
      /^error connecting to Redis: Hostname\/IP does not match certificate's altnames/,
    );
  });

  it('shows its own certificate to a server that asks for one', async () => {
    await startServer('yes');
    const [clientCert, clientKey] = [CERTIFICATE, KEY].map((file) => readFileSync(file, 'utf8'));
    await init({
      insecureSkipTLSVerify: 'true',
      clientCert: clientCert!,
      clientKey: clientKey!,
    });
    const result = await fixture.store.tryLock(tryLockCall('k'), noAbort());
    expect(result).toMatchObject({ acquired: true });
  });
});
