import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { createFolder } from '../support/component-files';
import { eventually } from '../support/eventually';
import { callDapr } from '../support/grpc-call';
import { callHttp } from '../support/http-call';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver';
import { SidecarProcess } from '../support/sidecar-process';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE_ID}-${PARENT}-01`;
const LOCK = '/v1.0-alpha1/lock/lockstore';
const BODY = '{"resourceId":"the-resource","lockOwner":"the-owner","expiryInSeconds":60}';

/** Batches leave after five seconds; with an allowance. */
const EXPORTED = { withinMs: 12_000 };

describe('tracing', () => {
  let folder: string;
  let sidecar: SidecarProcess;
  let receiver: OtlpReceiver | undefined;
  beforeEach(async () => {
    folder = await createFolder();
  });
  afterEach(async () => {
    await sidecar.stop();
    receiver?.stop();
    receiver = undefined;
    await rm(folder, { recursive: true });
  });

  const start = async (
    tracing: string | undefined,
    options: { readonly env?: NodeJS.ProcessEnv; readonly args?: readonly string[] } = {},
  ) => {
    const file = path.join(folder, 'config.yaml');
    await writeFile(file, tracing === undefined ? '' : `spec: {tracing: ${tracing}}`);
    const args = ['--config', file, '--resources-path', 'components', ...(options.args ?? [])];
    sidecar = await SidecarProcess.start({ args, ...(options.env && { env: options.env }) });
  };
  const lock = (headers: Readonly<Record<string, string>> = {}) =>
    callHttp(sidecar.httpPort, { path: LOCK, body: BODY, headers });
  const grpcLock = async (metadata: Readonly<Record<string, string | Buffer>> = {}) => {
    let bin: unknown;
    const answer = await callDapr(sidecar.grpcPort, {
      method: 'TryLockAlpha1',
      message: { storeName: 'lockstore', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 9 },
      metadata,
      onHeaders: (headers) => {
        [bin] = headers.get('grpc-trace-bin');
      },
    });
    return { ...answer, bin };
  };
  const spanOf = (name: string): Promise<ReceivedSpan> =>
    eventually(() => {
      const span = receiver!.spans.find((candidate) => candidate.name === name);
      if (span === undefined) throw new Error(`no span ${name} yet`);
      return span;
    }, EXPORTED);

  describe('that nobody has configured', () => {
    it("passes the client's context on, and gives one to who has none", async () => {
      await start(undefined);
      const { headers } = await lock({ traceparent: TRACEPARENT, tracestate: 'a=b' });
      expect(headers).toMatchObject({ traceparent: TRACEPARENT, tracestate: 'a=b' });
      expect((await lock()).headers.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
      expect((await lock({ traceparent: 'junk' })).headers.traceparent).toBe(
        `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`,
      );
      const health = await callHttp(sidecar.httpPort, { method: 'GET', path: '/v1.0/healthz' });
      expect(health.headers.traceparent).toBeUndefined();
    });

    it('does the same over gRPC, in its binary form', async () => {
      await start(undefined);
      const { bin } = await grpcLock({ traceparent: TRACEPARENT });
      const expected = Buffer.from(`0000${TRACE_ID}01${PARENT}0201`, 'hex');
      expect(bin).toEqual(expected);
      expect((await grpcLock({ 'grpc-trace-bin': expected })).bin).toEqual(expected);
      expect((await grpcLock()).bin).toHaveLength(29);
    });
  });

  it('of rate 0 reads and sends nothing', async () => {
    await start('{samplingRate: "0"}');
    const { headers } = await lock({ traceparent: TRACEPARENT });
    expect(headers.traceparent).toBeUndefined();
    expect((await grpcLock({ traceparent: TRACEPARENT })).bin).toBeUndefined();
  });

  it('refuses baggage that is none, and echoes what is', async () => {
    await start(undefined);
    await expect(lock({ baggage: 'a=1,b' })).resolves.toMatchObject({
      status: 400,
      body: 'invalid baggage header: member 2 is not of the form name=value\n',
    });
    await expect(lock({ baggage: 'a=1;p, b=2' })).resolves.toMatchObject({
      status: 200,
      headers: { baggage: 'a=1;p, b=2' },
    });
    await expect(grpcLock({ baggage: '=' })).resolves.toMatchObject({
      code: 3,
      details: 'invalid baggage header: member 1 is not of the form name=value',
    });
  });

  describe.each(['grpc', 'http'] as const)('exported by OTLP over %s', (protocol) => {
    beforeEach(async () => {
      receiver = await new OtlpReceiver(protocol).start();
    });
    const otel = () =>
      `{samplingRate: "1", otel: {endpointAddress: "127.0.0.1:${receiver!.port}", protocol: ${protocol}, isSecure: false, headers: "x-key=v"}}`;

    it("has daprd's names and attributes, and the lock's outcome, but no owner", async () => {
      await start(otel(), { env: { OTEL_SERVICE_NAME: '' } });
      const { headers } = await lock({
        traceparent: TRACEPARENT,
        tracestate: 'a=b',
        'dapr-app-id': 'x',
        'dapr-api-token': 'hush',
      });
      await grpcLock({ 'dapr-some-bin': Buffer.from('x') });
      const span = await spanOf(LOCK);
      expect(headers.traceparent).toBe(`00-${TRACE_ID}-${span.spanId}-01`);
      expect(span).toMatchObject({
        traceId: TRACE_ID,
        parentSpanId: PARENT,
        traceState: 'a=b',
        kind: 3,
        resource: { 'service.name': 'myapp' },
        headers: { 'x-key': 'v' },
        attributes: {
          'dapr.api': `POST ${LOCK}`,
          'dapr.protocol': 'http',
          'dapr.status_code': '200',
          'http.request.method': 'POST',
          'url.full': LOCK,
          'dapr-app-id': 'x',
          'dapr.lock.store': 'lockstore',
          'dapr.lock.outcome': 'acquired',
        },
      });
      const method = '/dapr.proto.runtime.v1.Dapr/TryLockAlpha1';
      expect((await spanOf(method)).attributes).toEqual({
        'dapr.api': method,
        'dapr.protocol': 'grpc',
        'dapr.status_code': '0',
        'dapr.lock.store': 'lockstore',
        'dapr.lock.outcome': 'acquired',
      });
      expect(JSON.stringify(receiver!.spans)).not.toMatch(/the-resource|the-owner|hush/);
    }, 30_000);
  });

  it('takes its receiver from OTEL_* variables, names errors, and details where asked', async () => {
    receiver = await new OtlpReceiver('http', '/otlp/v1/traces').start();
    await start(undefined, {
      args: ['--trace-lock-details'],
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${receiver.port}/otlp`,
        OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Basic%20YWJj',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_SERVICE_NAME: 'locks',
        OTEL_RESOURCE_ATTRIBUTES: 'team=a%20b',
      },
    });
    const pipes = BODY.replace('the-resource', 'a||b');
    await callHttp(sidecar.httpPort, { path: LOCK, body: pipes });
    await expect(spanOf(LOCK)).resolves.toMatchObject({
      headers: { authorization: 'Basic YWJj' },
      status: { code: 2, message: 'Code(500): Internal Server Error' },
      resource: { 'service.name': 'locks', team: 'a b' },
      attributes: {
        'dapr.lock.outcome': 'error',
        'dapr.lock.resource': 'a||b',
        'dapr.lock.owner': 'the-owner',
      },
    });
  }, 30_000);

  it('names the line of an address that is none, and does not start', async () => {
    const file = path.join(folder, 'config.yaml');
    await writeFile(file, 'spec:\n  tracing:\n    zipkin: {endpointAddress: zipkin}\n');
    sidecar = await SidecarProcess.spawn({ args: ['--config', file] });
    await expect(sidecar.exited).resolves.toBe(1);
    expect(sidecar.stdout).toContain(`${file}:3:31 spec.tracing.zipkin.endpointAddress: must be`);
  });

  it('says that spans can not be sent, and ends in time all the same', async () => {
    await start('{samplingRate: "1", otel: {endpointAddress: "127.0.0.1:1", protocol: http}}');
    await lock();
    await sidecar.waitForOutput("Traces can't be sent: ");
    await expect(sidecar.stop()).resolves.toBe(0);
  }, 30_000);

  it('is sent to Zipkin too, and what is left when the sidecar ends', async () => {
    const bodies: string[] = [];
    const zipkin = createServer((request, response) => {
      request.on('data', (part: Buffer) => bodies.push(part.toString()));
      request.on('end', () => response.writeHead(202).end());
    });
    await new Promise<void>((resolve) => zipkin.listen(0, '127.0.0.1', resolve));
    const { port } = zipkin.address() as AddressInfo;
    await start(
      `{samplingRate: "1", zipkin: {endpointAddress: "http://127.0.0.1:${port}/api/v2/spans"}}`,
    );
    await lock();
    await sidecar.stop();
    expect(bodies.join('')).toContain(`"name":"${LOCK}"`);
    zipkin.close();
  });
});
