import { readFileSync } from 'node:fs';
import path from 'node:path';

import { connect, type ConnectOptions } from '../../src/client/connect';
import { LockUnreachableError } from '../../src/client/client-errors';
import { createFolder, writeComponent } from '../support/component-files';
import { SidecarProcess } from '../support/sidecar-process';

const TLS = path.join(__dirname, '../fixtures/tls');

async function startSidecar(...args: readonly string[]): Promise<SidecarProcess> {
  const folder = await writeComponent({ type: 'lock.in-memory' });
  return SidecarProcess.start({ args: ['--resources-path', folder, ...args] });
}

async function holdOnce(options: ConnectOptions): Promise<number> {
  const locks = connect({ apiToken: '', ...options });
  try {
    await using lock = await locks.hold('one', { ttlMs: 5000 });
    return lock.token;
  } finally {
    await locks.close();
  }
}

it('goes over a unix socket', async () => {
  const folder = await createFolder();
  const sidecar = await startSidecar('--unix-domain-socket', folder);
  const address = `unix:${folder}/dapr-myapp-grpc.socket`;
  expect(await holdOnce({ address })).toBeGreaterThan(0);
  await sidecar.stop();
});

it('goes over TLS, and trusts only the authorities that it is given', async () => {
  const files = ['--tls-cert-file', `${TLS}/server.crt`, '--tls-key-file', `${TLS}/server.key`];
  const sidecar = await startSidecar(...files);
  const address = `https://localhost:${sidecar.grpcPort}`;
  const tls = { ca: readFileSync(`${TLS}/server.crt`) };
  expect(await holdOnce({ address, tls })).toBeGreaterThan(0);
  expect(
    await holdOnce({ address: `localhost:${sidecar.grpcPort}?tls=true`, tls }),
  ).toBeGreaterThan(0);
  await expect(holdOnce({ address })).rejects.toThrow(LockUnreachableError);
  await expect(holdOnce({ address: `localhost:${sidecar.grpcPort}` })).rejects.toThrow(
    LockUnreachableError,
  );
  await sidecar.stop();
});
