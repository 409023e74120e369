import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { AddressInfo } from 'node:net';

import { eventually } from '../support/eventually';
import { callHttp, postJson } from '../support/http-call';
import { echo, RawUpstream } from '../support/raw-upstream';
import { SidecarProcess } from '../support/sidecar-process';
import { rawCall } from '../grpc/raw-http2';

const LOCK = '/v1.0-alpha1/lock/lockstore';
const CALL = { resourceId: 'r', lockOwner: 'o', expiryInSeconds: 60 };
const STATE = '/dapr.proto.runtime.v1.Dapr/GetState';

describe('a sidecar in front of another one', () => {
  let behind: Server;
  let httpPort: number;
  let rawUpstream: RawUpstream;
  let sidecar: SidecarProcess;
  let session: ClientHttp2Session | undefined;
  let isHealthy: boolean;
  let received: string[];
  const handle = ({ method, url }: IncomingMessage, response: ServerResponse) => {
    if (url?.startsWith('/v1.0/healthz') !== true) received.push(`${method ?? ''} ${url ?? ''}`);
    response.writeHead(isHealthy ? 204 : 500).end();
    if (url !== '/v1.0/shutdown') return;
    setTimeout(() => {
      behind.close();
      behind.closeAllConnections();
    }, 500);
  };

  beforeEach(async () => {
    isHealthy = true;
    received = [];
    behind = createServer(handle);
    behind.listen(0, '127.0.0.1');
    await once(behind, 'listening');
    httpPort = (behind.address() as AddressInfo).port;
    rawUpstream = await new RawUpstream(echo).start();
    sidecar = await SidecarProcess.start({
      args: [
        ...['--resources-path', 'components', '--enable-api-logging'],
        `--upstream-grpc-endpoint=127.0.0.1:${rawUpstream.port}`,
      ],
      env: { HOLDFAST_UPSTREAM_HTTP_ENDPOINT: `http://127.0.0.1:${httpPort}` },
    });
  });
  afterEach(async () => {
    session?.destroy();
    await sidecar.stop('SIGKILL');
    behind.close();
    behind.closeAllConnections();
    await rawUpstream.stop();
  });
  const get = (path: string) => callHttp(sidecar.httpPort, { method: 'GET', path });
  const checkGrpc = async () => {
    const { body } = await rawCall(sidecar.grpcPort, { ':path': '/grpc.health.v1.Health/Check' });
    return body.at(-1);
  };

  it('answers locks, passes on the rest, is ready when both are, and stops after it', async () => {
    expect(await postJson(sidecar.httpPort, LOCK, CALL)).toEqual({ success: true });
    expect(await get('/v1.0/state/s/k')).toMatchObject({ status: 204 });
    const answer = await rawCall(sidecar.grpcPort, { ':path': STATE }, Buffer.from('x'));
    expect(answer.body.subarray(5).toString()).toBe('x');
    expect(await get('/v1.0/healthz')).toMatchObject({ status: 204 });
    expect(await get('/v1.0/healthz/outbound')).toMatchObject({ status: 204 });
    await eventually(async () => {
      expect(await checkGrpc()).toBe(1);
    });

    isHealthy = false;
    expect(await get('/v1.0/healthz')).toMatchObject({
      status: 500,
      body: '{"errorCode":"ERR_HEALTH_NOT_READY","message":"dapr is not ready: [upstream]"}',
    });
    expect(await get('/v1.0/healthz/outbound')).toMatchObject({ status: 500 });
    await eventually(async () => {
      expect(await checkGrpc()).toBe(2);
    });
    expect(sidecar.stdout).toContain('GET /v1.0/state/s/k');
    expect(sidecar.stdout).toContain(STATE);
    const metrics = await callHttp(sidecar.metricsPort, { method: 'GET', path: '/' });
    expect(metrics.body).toContain(
      'holdfast_upstream_calls_total{app_id="myapp",protocol="grpc",status="OK"} 1',
    );
    expect(metrics.body).toContain(
      'holdfast_upstream_calls_total{app_id="myapp",protocol="http",status="2xx"} 1',
    );
    expect(metrics.body).not.toContain('GetState');

    isHealthy = true;
    expect(await callHttp(sidecar.httpPort, { path: '/v1.0/shutdown' })).toMatchObject({
      status: 204,
    });
    await eventually(() => {
      expect(received).toContain('POST /v1.0/shutdown');
    });
    // The upstream is still stopping.
    expect(await postJson(sidecar.httpPort, LOCK, CALL)).toEqual({ success: false });
    expect(await sidecar.exited).toBe(0);
    expect(behind.listening).toBe(false);
  });

  it('ends the streams that it passed on when it is stopped, and leaves the other one alone', async () => {
    session = connect(`http://127.0.0.1:${sidecar.grpcPort}`);
    session.on('error', () => undefined);
    const stream = session.request({
      ':method': 'POST',
      ':path': STATE,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined).resume();
    await once(stream, 'response');
    const ended = once(stream, 'trailers');
    expect(await sidecar.stop()).toBe(0);
    const [trailers] = (await ended) as [object];
    expect(trailers).toMatchObject({ 'grpc-status': '14' });
    expect(received).toEqual([]);
    expect(behind.listening).toBe(true);
  });
});
