import { request as httpsRequest } from 'node:https';
import { request as httpRequest } from 'node:http';
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Client, credentials } from '@grpc/grpc-js';

import { findFreePort } from '../support/free-port';
import { callDaprOver } from '../support/grpc-call';
import { callHttp } from '../support/http-call';
import { SidecarProcess } from '../support/sidecar-process';
import { startupHintOf } from '../support/startup-hint-of';

const LOCK = '/v1.0-alpha1/lock/lockstore';
const CALL = { storeName: 'lockstore', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 60 };
const TLS_FOLDER = path.join(__dirname, '../fixtures/tls');

describe('where a sidecar listens', () => {
  let folder: string;
  let sidecar: SidecarProcess;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'hf-'));
  });
  afterEach(async () => {
    await sidecar.stop('SIGKILL');
    await rm(folder, { recursive: true });
  });
  const start = async (...args: readonly string[]) => {
    sidecar = await SidecarProcess.start({ args: ['--resources-path', 'components', ...args] });
  };
  const socketOf = (protocol: 'http' | 'grpc') =>
    path.join(folder, `dapr-myapp-${protocol}.socket`);
  const lockOver = (target: string, channel = credentials.createInsecure()) => {
    const client = new Client(target, channel);
    return callDaprOver(client, { method: 'TryLockAlpha1', message: CALL }).finally(() => {
      client.close();
    });
  };

  describe('on unix sockets', () => {
    const overSocket = (file: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        httpRequest({ socketPath: file, path: '/v1.0/healthz' }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });

    it("serves both APIs under daprd's names, to user and group alone", async () => {
      await start('--unix-domain-socket', folder);
      await expect(overSocket(socketOf('http'))).resolves.toBe(204);
      await expect(lockOver(`unix:${socketOf('grpc')}`)).resolves.toMatchObject({ success: true });
      for (const protocol of ['http', 'grpc'] as const) {
        expect((await stat(socketOf(protocol))).mode & 0o777).toBe(0o660);
      }
      await expect(callHttp(sidecar.httpPort, { path: LOCK })).rejects.toThrow('ECONNREFUSED');
      await sidecar.stop();
      await expect(stat(socketOf('http'))).rejects.toThrow('ENOENT');
      await expect(stat(socketOf('grpc'))).rejects.toThrow('ENOENT');
    });

    it('names no port that nobody listens on, and gives a line that works', async () => {
      await start('--unix-domain-socket', folder);
      expect(sidecar.stdout).toContain(
        `API gRPC server is running on unix socket ${socketOf('grpc')}`,
      );
      expect(sidecar.stdout).toContain(`HTTP server is running on unix socket ${socketOf('http')}`);
      for (const port of [sidecar.httpPort, sidecar.grpcPort]) {
        expect(sidecar.stdout).not.toContain(String(port));
      }
      const [, socketPath, url, body] =
        /^curl --unix-socket (\S+) -X POST (\S+) .* -d '(.*)'$/m.exec(
          startupHintOf(['--unix-domain-socket', folder]),
        )!;
      expect(socketPath).toBe(socketOf('http'));
      const status = await new Promise<number | undefined>((resolve, reject) => {
        httpRequest(url!, { socketPath, method: 'POST' }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end(body);
      });
      expect(status).toBe(200);
    });

    it('takes over the files of one that was killed', async () => {
      await start('--unix-domain-socket', folder);
      await sidecar.stop('SIGKILL');
      await start('--unix-domain-socket', folder);
      await expect(overSocket(socketOf('http'))).resolves.toBe(204);
    });

    it('leaves one alone that somebody listens on, and a file that is no socket', async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(socketOf('grpc'), resolve));
      const args = ['--resources-path', 'components', '--unix-domain-socket', folder];
      sidecar = await SidecarProcess.spawn({ args });
      await expect(sidecar.exited).resolves.toBe(1);
      expect(sidecar.stdout).toContain(
        `could not listen on unix socket ${socketOf('grpc')}: another process listens on it`,
      );
      await new Promise((resolve) => server.close(resolve));
      await writeFile(socketOf('grpc'), 'precious');
      sidecar = await SidecarProcess.spawn({ args });
      await expect(sidecar.exited).resolves.toBe(1);
      await expect(readFile(socketOf('grpc'), 'utf8')).resolves.toBe('precious');
    });
  });

  it('on several addresses, IPv6 in brackets', async () => {
    await start('--dapr-listen-addresses', '[::1],127.0.0.1');
    await expect(lockOver(`[::1]:${sidecar.grpcPort}`)).resolves.toMatchObject({ success: true });
    await expect(lockOver(`127.0.0.1:${sidecar.grpcPort}`)).resolves.toMatchObject({
      success: false,
    });
    const over6 = await fetch(`http://[::1]:${sidecar.httpPort}/v1.0/healthz`);
    expect(over6.status).toBe(204);
  });

  it('on a public port, for health and metadata alone', async () => {
    const port = await findFreePort();
    sidecar = await SidecarProcess.start({
      args: [
        ...['--resources-path', 'components', '--enable-api-logging', '--allowed-origins', '*'],
        ...['--dapr-public-port', String(port), '--dapr-public-listen-address', '127.0.0.1'],
      ],
      env: { DAPR_API_TOKEN: 'hush' },
    });
    const call = (method: string, target: string) => callHttp(port, { method, path: target });
    await expect(call('GET', '/v1.0/healthz')).resolves.toMatchObject({ status: 204 });
    const metadata = await call('GET', '/v1.0/metadata');
    expect(metadata.status).toBe(200);
    expect(metadata.headers).not.toHaveProperty('vary');
    expect(metadata.headers).toHaveProperty('traceparent');
    await expect(call('PUT', '/v1.0/metadata/k')).resolves.toMatchObject({ status: 204 });
    await expect(call('POST', LOCK)).resolves.toMatchObject({
      status: 404,
      body: '404 page not found\n',
    });
    await expect(call('POST', '/v1.0/shutdown')).resolves.toMatchObject({ status: 404 });
    await expect(call('POST', '/v1.0/metadata')).resolves.toMatchObject({
      status: 405,
      headers: { allow: 'GET' },
    });
    expect(sidecar.stdout).not.toContain('HTTP API Called');
  });

  describe('over TLS', () => {
    const certificate = path.join(TLS_FOLDER, 'server.crt');
    const key = path.join(TLS_FOLDER, 'server.key');
    const overTls = (options: object) =>
      new Promise<{ status: number | undefined; serial: string }>((resolve, reject) => {
        const outgoing = httpsRequest(
          {
            host: 'localhost',
            port: sidecar.httpPort,
            path: '/v1.0/healthz',
            agent: false,
            ...options,
          },
          (response) => {
            const { serialNumber: serial } = (
              response.socket as unknown as { getPeerCertificate(): { serialNumber: string } }
            ).getPeerCertificate();
            response.resume();
            resolve({ status: response.statusCode, serial });
          },
        );
        outgoing.on('error', reject).end();
      });

    it('serves both APIs, and nothing without it', async () => {
      await start('--tls-cert-file', certificate, '--tls-key-file', key);
      const ca = await readFile(certificate);
      await expect(overTls({ ca })).resolves.toMatchObject({ status: 204 });
      const target = `localhost:${sidecar.grpcPort}`;
      await expect(lockOver(target, credentials.createSsl(ca))).resolves.toMatchObject({
        success: true,
      });
      await expect(callHttp(sidecar.httpPort, { path: LOCK })).rejects.toThrow();
      await expect(sidecar.stop()).resolves.toBe(0);
    });

    it('lets in only clients of an authority where one is named', async () => {
      const args = ['--tls-cert-file', certificate, '--tls-key-file', key];
      await start(...args, '--tls-client-ca-file', certificate);
      const [ca, own] = [await readFile(certificate), await readFile(key)];
      const target = `localhost:${sidecar.grpcPort}`;
      await expect(overTls({ ca })).rejects.toThrow();
      await expect(lockOver(target, credentials.createSsl(ca))).rejects.toThrow('UNAVAILABLE');
      await expect(overTls({ ca, cert: ca, key: own })).resolves.toMatchObject({ status: 204 });
      await expect(lockOver(target, credentials.createSsl(ca, own, ca))).resolves.toMatchObject({
        success: true,
      });
    });

    it('shows a renewed certificate after SIGHUP, and keeps the old one where it is none', async () => {
      const [cert, own] = [path.join(folder, 'tls.crt'), path.join(folder, 'tls.key')];
      await copyFile(certificate, cert);
      await copyFile(key, own);
      await start('--tls-cert-file', cert, '--tls-key-file', own);
      const before = await overTls({ rejectUnauthorized: false });
      await writeFile(cert, 'nonsense');
      sidecar.child.kill('SIGHUP');
      await sidecar.waitForOutput('the file of --tls-cert-file contains no PEM');
      await expect(overTls({ rejectUnauthorized: false })).resolves.toEqual(before);
      await copyFile(path.join(TLS_FOLDER, 'renewed.crt'), cert);
      await copyFile(path.join(TLS_FOLDER, 'renewed.key'), own);
      sidecar.child.kill('SIGHUP');
      await sidecar.waitForOutput('msg=Reloaded');
      const after = await overTls({ rejectUnauthorized: false });
      expect(after.serial).not.toBe(before.serial);
      const renewed = await readFile(path.join(TLS_FOLDER, 'renewed.crt'));
      await expect(
        lockOver(`localhost:${sidecar.grpcPort}`, credentials.createSsl(renewed)),
      ).resolves.toMatchObject({ success: true });
    });

    it.each([
      [['--tls-cert-file', certificate], 'TLS needs both --tls-cert-file and --tls-key-file'],
      [
        ['--tls-cert-file', '/nowhere', '--tls-key-file', key],
        "the file of --tls-cert-file can't be read: /nowhere: it does not exist, or is a broken link",
      ],
    ])('does not start by halves: %j', async (args, sentence) => {
      sidecar = await SidecarProcess.spawn({ args });
      await expect(sidecar.exited).resolves.toBe(1);
      expect(sidecar.stdout + sidecar.stderr).toContain(sentence);
    });
  });
});
