import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import path from 'node:path';

import { createFolder, writeComponent } from '../support/component-files';
import { findFreePort } from '../support/free-port';
import { callHttp } from '../support/http-call';
import { startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

const TLS_FOLDER = path.join(__dirname, '../fixtures/tls');
const CERTIFICATE = path.join(TLS_FOLDER, 'server.crt');
const KEY = path.join(TLS_FOLDER, 'server.key');
const PAIR = { cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) };
const LOCK = {
  path: '/v1.0-alpha1/lock/lockstore',
  body: '{"resourceId":"r","lockOwner":"o","expiryInSeconds":60}',
};

/** Trusts the authority of the tests by a variable, and nobody by Node's own. */
const TRUSTED = { SSL_CERT_FILE: CERTIFICATE, SSL_CERT_DIR: '', NODE_EXTRA_CA_CERTS: undefined };
const UNTRUSTED = { ...TRUSTED, SSL_CERT_FILE: '/nowhere' };

/** A receiver of traces that counts what came over TLS. */
class TlsReceiver {
  requests = 0;
  readonly #server: Server;

  constructor(isGrpc: boolean) {
    if (isGrpc) {
      const server = createSecureServer(PAIR);
      server.on('stream', (stream) => {
        this.requests += 1;
        stream.on('error', () => undefined);
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' },
          { endStream: true },
        );
      });
      this.#server = server;
    } else {
      this.#server = createServer(PAIR, (request, response) => {
        this.requests += 1;
        request.resume();
        response.end();
      });
    }
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }
}

const otel = (protocol: string) => (port: number) =>
  `otel: {endpointAddress: "localhost:${port}", isSecure: true, protocol: ${protocol}}`;

describe("the machine's certificate authorities", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await createFolder();
  });
  afterEach(() => rm(folder, { recursive: true }));

  describe.each([
    ['OTLP over gRPC', true, otel('grpc')],
    ['OTLP over HTTP', false, otel('http')],
    [
      'Zipkin',
      false,
      (port: number) => `zipkin: {endpointAddress: "https://localhost:${port}/api/v2/spans"}`,
    ],
  ])('of %s', (_name, isGrpc, toTracing) => {
    it.each([
      ['SSL_CERT_FILE', TRUSTED, 1],
      [
        'OTEL_EXPORTER_OTLP_CERTIFICATE',
        { ...UNTRUSTED, OTEL_EXPORTER_OTLP_CERTIFICATE: CERTIFICATE },
        1,
      ],
      ['nobody', UNTRUSTED, 0],
    ])('count by %s', async (by, env, expected) => {
      if (_name === 'Zipkin' && by.startsWith('OTEL')) return;
      const receiver = new TlsReceiver(isGrpc);
      const file = path.join(folder, 'config.yaml');
      const tracing = toTracing(await receiver.listen());
      await writeFile(file, `spec: {tracing: {samplingRate: "1", ${tracing}}}`);
      const args = ['--config', file, '--resources-path', 'components'];
      const sidecar = await SidecarProcess.start({ args, env });
      await callHttp(sidecar.httpPort, LOCK);
      await sidecar.stop();
      receiver.close();
      expect(receiver.requests).toBe(expected);
    });
  });

  describe('of Redis', () => {
    it.each([
      ['SSL_CERT_FILE', TRUSTED],
      ['SSL_CERT_DIR', { ...UNTRUSTED, SSL_CERT_DIR: TLS_FOLDER }],
      ['NODE_EXTRA_CA_CERTS', { ...UNTRUSTED, NODE_EXTRA_CA_CERTS: CERTIFICATE }],
      ['nobody', UNTRUSTED],
    ])('count by %s', async (by, env) => {
      const port = await findFreePort();
      const tls = [
        '--tls-port',
        String(port),
        '--tls-cert-file',
        CERTIFICATE,
        '--tls-key-file',
        KEY,
      ];
      const redis = await startRedisServer({
        args: [...tls, '--tls-auth-clients', 'no', '--tls-ca-cert-file', CERTIFICATE],
      });
      const metadata = { redisHost: `localhost:${port}`, enableTLS: 'true' };
      const resources = await writeComponent({ type: 'lock.redis', metadata });
      const sidecar = await SidecarProcess.spawn({ args: ['--resources-path', resources], env });
      if (by === 'nobody') {
        await expect(sidecar.exited).resolves.toBe(1);
        expect(sidecar.stdout).toContain('self-signed certificate');
      } else {
        await sidecar.waitForOutput('dapr initialized.');
        await expect(callHttp(sidecar.httpPort, LOCK)).resolves.toMatchObject({ status: 200 });
        await sidecar.stop();
      }
      await redis.stop();
    });
  });
});
