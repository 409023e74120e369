import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createSecureContext } from 'node:tls';

import { parseEndpoint } from '../../src/upstream/endpoint';
import { Upstream } from '../../src/upstream/upstream';
import { GrpcFixture } from '../grpc/grpc-fixture';
import { rawCall } from '../grpc/raw-http2';
import { HttpFixture } from '../http/http-fixture';
import { RecordingLogger } from '../support/recording-logger';

const read = (name: string) => readFileSync(path.join(__dirname, '../fixtures/tls', name), 'utf8');
const PAIR = { cert: read('server.crt'), key: read('server.key') };
const STATE = '/dapr.proto.runtime.v1.Dapr/GetState';

describe('an upstream over TLS', () => {
  const grpcServer = createSecureServer(PAIR);
  const httpServer = createServer(PAIR, ({ headers }, response) => {
    response.end(headers.host);
  });
  let authority: string | undefined;
  let ports: readonly [number, number];
  beforeAll(async () => {
    grpcServer.on('stream', (stream, headers) => {
      authority = headers[':authority'];
      stream.respond({ ':status': 200, 'grpc-status': '0' }, { endStream: true });
    });
    const listen = async (server: typeof grpcServer | typeof httpServer) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    };
    ports = [await listen(grpcServer), await listen(httpServer)];
  });
  afterAll(() => {
    grpcServer.close();
    httpServer.closeAllConnections();
    httpServer.close();
  });

  const callBoth = async (ca: string) => {
    const [grpcPort, httpPort] = ports;
    const upstream = new Upstream({
      grpc: parseEndpoint(`https://localhost:${grpcPort}`),
      http: parseEndpoint(`https://localhost:${httpPort}`),
      maxCalls: 10,
      apiToken: undefined,
      goneWithinMs: 100,
      secureContext: () => createSecureContext({ ca }),
      logger: new RecordingLogger(),
    });
    const grpc = await new GrpcFixture({ upstream }).start();
    const http = await new HttpFixture({ upstream }).start();
    const { headers } = await rawCall(grpc.port, { ':path': STATE });
    const { status, body } = await http.call({ method: 'GET', path: '/x' });
    await grpc.stop();
    await http.server.close();
    upstream.close();
    return { grpcStatus: headers['grpc-status'], status, body };
  };

  it('is called by its own name if its certificate is from a trusted authority', async () => {
    const [grpcPort, httpPort] = ports;
    const body = `localhost:${httpPort}`;
    expect(await callBoth(PAIR.cert)).toEqual({ grpcStatus: '0', status: 200, body });
    expect(authority).toBe(`localhost:${grpcPort}`);
  });

  it('gets no call, and no token, if its certificate is from another', async () => {
    authority = undefined;
    const other = read('renewed.crt');
    expect(await callBoth(other)).toMatchObject({ grpcStatus: '14', status: 502 });
    expect(authority).toBeUndefined();
  });
});
