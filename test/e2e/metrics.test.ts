import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';

import { createFolder, writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { callDapr } from '../support/grpc-call';
import { callHttp } from '../support/http-call';
import { findMetric, parseMetrics, type Sample } from '../support/prometheus-text';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

const LOCK = '/v1.0-alpha1/lock/lockstore';
const UNLOCK = '/v1.0-alpha1/unlock/lockstore';
const CALL = { resourceId: 'the-resource', lockOwner: 'the-owner', expiryInSeconds: 60 };

describe('the metrics of a sidecar', () => {
  let redis: RedisServer;
  let folder: string;
  let sidecar: SidecarProcess;
  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    folder = await writeComponent({
      type: 'lock.redis',
      // It bounds a whole TryLock: that to a paused Redis would take 10 s.
      metadata: { redisHost: `127.0.0.1:${redis.port}`, writeTimeout: '300ms' },
    });
  });
  afterEach(async () => {
    redis.resume();
    await sidecar.stop();
    await rm(folder, { recursive: true });
  });

  const start = async (configuration = '', args: readonly string[] = []) => {
    const config = path.join(await createFolder(), 'config.yaml');
    await writeFile(config, configuration);
    sidecar = await SidecarProcess.start({
      args: ['--resources-path', folder, '--config', config, ...args],
      env: { NAMESPACE: 'prod' },
    });
  };
  const post = (target: string, call: object = CALL) =>
    callHttp(sidecar.httpPort, { path: target, body: JSON.stringify(call) });
  const scrape = async (): Promise<readonly Sample[]> => {
    const { body, headers } = await callHttp(sidecar.metricsPort, {
      method: 'GET',
      path: '/any/path',
    });
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    return parseMetrics(body);
  };

  it('count lock calls by how they ended, and name no resource and no owner', async () => {
    await start();
    await post(LOCK);
    await post(LOCK);
    await post(UNLOCK, { ...CALL, lockOwner: 'other' });
    await post(UNLOCK);
    await post(UNLOCK);
    await post(LOCK, { ...CALL, resourceId: 'a||b' });
    await post('/v1.0-alpha1/lock/no-such-store');
    redis.pause();
    await post(LOCK);
    redis.resume();
    await eventually(async () => {
      const samples = await scrape();
      const operations = (operation: string, outcome: string) =>
        findMetric(samples, 'dapr_lock_operations_total', {
          operation,
          store: 'lockstore',
          outcome,
        });
      expect(operations('try_lock', 'acquired')).toBe(1);
      expect(operations('try_lock', 'refused')).toBe(1);
      expect(operations('try_lock', 'error')).toBe(1);
      expect(operations('try_lock', 'unknown')).toBe(1);
      expect(operations('unlock', 'unlocked')).toBe(1);
      expect(operations('unlock', 'not_found')).toBe(1);
      expect(operations('unlock', 'held_by_other')).toBe(1);
      const store = { store: 'lockstore' };
      expect(findMetric(samples, 'dapr_lock_withdrawn_attempts_total', store)).toBe(1);
      expect(findMetric(samples, 'dapr_lock_store_reconnects_total', store)).toBe(1);
      expect(findMetric(samples, 'dapr_lock_store_up', store)).toBe(1);
      expect(
        findMetric(samples, 'dapr_lock_operation_duration_seconds_bucket', {
          operation: 'unlock',
          store: 'lockstore',
          le: '+Inf',
        }),
      ).toBe(3);
      expect(
        findMetric(samples, 'dapr_lock_operations_total', {
          operation: 'try_lock',
          store: '',
          outcome: 'error',
        }),
      ).toBe(1);
      const text = JSON.stringify(samples.map(({ labels }) => labels));
      expect(text).not.toMatch(/the-resource|the-owner|a\|\|b/);
    });
  });

  it('begin at 0 with their store, and end with it', async () => {
    await start();
    const unknown = {
      app_id: 'myapp',
      store: 'lockstore',
      operation: 'unlock',
      outcome: 'unknown',
    };
    const name = 'dapr_lock_operations_total';
    expect(findMetric(await scrape(), name, unknown)).toBe(0);
    expect(findMetric(await scrape(), 'dapr_runtime_component_loaded', {})).toBe(1);
    await rm(path.join(folder, 'lockstore.yaml'));
    await eventually(
      async () => {
        const ofStore = (await scrape()).filter(({ labels }) => labels.store === 'lockstore');
        expect(ofStore).toEqual([]);
      },
      { withinMs: 10_000 },
    );
  });

  it('say that a store is away', async () => {
    await start();
    await redis.kill();
    await eventually(async () => {
      const up = findMetric(await scrape(), 'dapr_lock_store_up', { store: 'lockstore' });
      expect(up).toBe(0);
    });
    await redis.start();
  });

  it("have daprd's names and labels for HTTP, gRPC and components", async () => {
    await start('spec: {metrics: {recordErrorCodes: true}}');
    const { body } = await post(LOCK);
    await post(LOCK, {});
    await callDapr(sidecar.grpcPort, {
      method: 'TryLockAlpha1',
      message: { storeName: 'lockstore', resourceId: 'g', lockOwner: 'o', expiryInSeconds: 0 },
    });
    await callHttp(sidecar.httpPort, { method: 'BREW', path: '/nope' }).catch(() => undefined);
    await callHttp(sidecar.httpPort, { method: 'GET', path: '/nope' });
    await eventually(async () => {
      const samples = await scrape();
      const app = { app_id: 'myapp' };
      const ok = { ...app, method: 'POST', path: LOCK, status: '200' };
      expect(findMetric(samples, 'dapr_http_server_request_count', ok)).toBe(1);
      expect(findMetric(samples, 'dapr_http_server_response_count', ok)).toBe(1);
      expect(findMetric(samples, 'dapr_http_server_latency_count', ok)).toBe(1);
      expect(findMetric(samples, 'dapr_http_server_latency_bucket', { ...ok, le: '100000' })).toBe(
        1,
      );
      expect(findMetric(samples, 'dapr_http_server_request_bytes_sum', app)).toBe(
        JSON.stringify(CALL).length + 2,
      );
      expect(
        findMetric(samples, 'dapr_http_server_response_bytes_sum', app),
      ).toBeGreaterThanOrEqual(body.length);
      const notRouted = { ...app, method: 'GET', path: '', status: '404' };
      expect(findMetric(samples, 'dapr_http_server_request_count', notRouted)).toBe(1);
      const method = {
        ...app,
        grpc_server_method: '/dapr.proto.runtime.v1.Dapr/TryLockAlpha1',
      };
      const invalid = { ...method, grpc_server_status: 'InvalidArgument' };
      expect(findMetric(samples, 'dapr_grpc_io_server_completed_rpcs', invalid)).toBe(1);
      expect(findMetric(samples, 'dapr_grpc_io_server_server_latency_count', invalid)).toBe(1);
      expect(findMetric(samples, 'dapr_grpc_io_server_received_bytes_per_rpc_count', method)).toBe(
        1,
      );
      expect(findMetric(samples, 'dapr_grpc_io_server_sent_bytes_per_rpc_count', method)).toBe(1);
      expect(
        findMetric(samples, 'dapr_runtime_component_init_total', {
          ...app,
          component: 'lock.redis',
        }),
      ).toBe(1);
      expect(
        findMetric(samples, 'dapr_error_code_total', {
          ...app,
          category: 'common',
          error_code: 'ERR_MALFORMED_REQUEST',
        }),
      ).toBe(2);
    });
  });

  it('name components that failed', async () => {
    await writeFile(
      path.join(folder, 'bad.yaml'),
      'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: bad}\nspec: {type: lock.nope, version: v1, ignoreErrors: true}\n',
    );
    await start();
    expect(
      findMetric(await scrape(), 'dapr_runtime_component_init_fail_total', {
        app_id: 'myapp',
        component: 'lock.nope',
        componentName: 'bad',
        reason: 'creation',
      }),
    ).toBe(1);
  });

  it('count policies', async () => {
    await writeFile(
      path.join(folder, 'resiliency.yaml'),
      'kind: Resiliency\nmetadata: {name: mine}\nspec:\n  policies:\n    retries: {r: {duration: 10ms, maxRetries: 2}}\n    circuitBreakers: {cb: {trip: consecutiveFailures > 2, timeout: 1h}}\n  targets: {components: {lockstore: {outbound: {retry: r, circuitBreaker: cb}}}}\n',
    );
    await start();
    await redis.kill();
    await post(LOCK);
    const samples = await scrape();
    const policy = {
      app_id: 'myapp',
      name: 'mine',
      namespace: 'prod',
      flow_direction: 'outbound',
      target: 'Lock_lockstore',
    };
    const retry = { ...policy, policy: 'retry', status: '' };
    const breaker = { ...policy, policy: 'circuitbreaker', status: 'open' };
    const loaded = { app_id: 'myapp', name: 'mine', namespace: 'prod' };
    expect(findMetric(samples, 'dapr_resiliency_loaded', loaded)).toBe(1);
    expect(findMetric(samples, 'dapr_resiliency_count', retry)).toBe(1);
    expect(findMetric(samples, 'dapr_resiliency_activations_total', retry)).toBe(2);
    expect(findMetric(samples, 'dapr_resiliency_activations_total', breaker)).toBe(1);
    expect(findMetric(samples, 'dapr_resiliency_cb_state', breaker)).toBe(1);
    expect(findMetric(samples, 'dapr_resiliency_cb_state', { ...breaker, status: 'closed' })).toBe(
      0,
    );
    await redis.start();
  });

  it('show templates or nothing for paths where the configuration says so', async () => {
    await start(
      'spec: {metrics: {http: {increasedCardinality: false, excludeVerbs: true, pathMatching: ["/v1.0-alpha1/lock/{store}"]}, latencyDistributionBuckets: [7]}}',
    );
    await post(LOCK);
    await post(UNLOCK);
    await eventually(async () => {
      const samples = await scrape();
      const labels = { app_id: 'myapp', method: '', status: '200' };
      const lock = { ...labels, path: '/v1.0-alpha1/lock/{store}' };
      expect(findMetric(samples, 'dapr_http_server_request_count', lock)).toBe(1);
      expect(findMetric(samples, 'dapr_http_server_request_count', { ...labels, path: '' })).toBe(
        1,
      );
      expect(findMetric(samples, 'dapr_http_server_response_count', lock)).toBeUndefined();
      expect(
        findMetric(samples, 'dapr_http_server_latency_bucket', { ...lock, le: '7' }),
      ).toBeDefined();
    });
  });

  it('show the paths of stores whatever else was called, and no text of a client', async () => {
    await start();
    const stray = Array.from({ length: 210 }, (_, index) => `x${index}`);
    for (const name of stray) await post(`/v1.0-alpha1/lock/${name}`);
    await callHttp(sidecar.httpPort, { method: 'PUT', path: '/v1.0/metadata/x0', body: 'y' });
    await callHttp(sidecar.httpPort, { method: 'GET', path: '/x0/../v1.0/healthz' });
    await post('/x0/../v1.0-alpha1//unlock/lockstore');
    await eventually(async () => {
      const samples = await scrape();
      const paths = samples.map(({ labels }) => labels.path).filter((label) => label !== undefined);
      expect(new Set(paths)).toEqual(
        new Set(['/v1.0-alpha1/lock/{store}', '/v1.0/metadata/{key}', '/v1.0/healthz', UNLOCK]),
      );
    });
  });

  it('are a text that Prometheus takes: every family typed, told and whole', async () => {
    await start();
    await post(LOCK);
    const { body } = await callHttp(sidecar.metricsPort, { method: 'GET', path: '/metrics' });
    const families = [...body.matchAll(/^# TYPE (\S+) (counter|gauge|histogram|summary)$/gm)];
    const names = families.map(([, name]) => name!);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(body).toContain(`# HELP ${name} `);
    for (const { name } of parseMetrics(body)) {
      const family = name.replace(/_(bucket|sum|count)$/, '');
      expect([name, family].some((candidate) => names.includes(candidate))).toBe(true);
    }
    for (const [, name, kind] of families) {
      if (kind !== 'histogram') continue;
      const counts = parseMetrics(body).filter((sample) => sample.name === `${name!}_bucket`);
      const series = new Set(counts.map(({ labels }) => JSON.stringify({ ...labels, le: '' })));
      for (const one of series) {
        const own = counts.filter(({ labels }) => JSON.stringify({ ...labels, le: '' }) === one);
        const values = own.map(({ value }) => value);
        expect(own.at(-1)!.labels.le).toBe('+Inf');
        expect(values).toEqual([...values].sort((a, b) => a - b));
      }
    }
  });

  it.each([
    ['by a flag', '', ['--enable-metrics=false']],
    ['by the configuration', 'spec: {metric: {enabled: false}}', []],
  ])('can be turned off %s', async (_how, configuration, args) => {
    await start(configuration, args);
    await expect(scrape()).rejects.toThrow('ECONNREFUSED');
  });

  it('must have the port that was asked for', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '0.0.0.0', resolve));
    const { port } = taken.address() as { port: number };
    sidecar = await SidecarProcess.spawn({
      args: ['--resources-path', folder, '--metrics-port', String(port)],
    });
    await expect(sidecar.exited).resolves.toBe(1);
    expect(sidecar.stdout).toMatch(
      /failed to start metrics server: port \d+ of 0\.0\.0\.0: another process listens on it \(EADDRINUSE\)/,
    );
    taken.close();
  });
});

describe('API logging', () => {
  let sidecar: SidecarProcess;
  afterEach(() => sidecar.stop());

  const start = async (apiLogging: string, args: readonly string[] = []) => {
    const config = path.join(await createFolder(), 'config.yaml');
    await writeFile(config, `spec: {logging: {apiLogging: ${apiLogging}}}`);
    sidecar = await SidecarProcess.start({
      args: ['--resources-path', 'components', '--config', config, ...args],
      env: { DAPR_API_TOKEN: 'hush' },
    });
    const headers = { 'dapr-api-token': 'hush', 'user-agent': 'me/1' };
    await callHttp(sidecar.httpPort, { path: LOCK, body: JSON.stringify(CALL), headers });
    await callHttp(sidecar.httpPort, { path: UNLOCK });
    await callHttp(sidecar.httpPort, { method: 'GET', path: '/v1.0/healthz', headers });
    await callDapr(sidecar.grpcPort, {
      method: 'UnlockAlpha1',
      message: { storeName: 'lockstore', resourceId: '', lockOwner: 'o' },
      metadata: { 'dapr-api-token': 'hush' },
    });
    await sidecar.waitForOutput('gRPC API Called').catch(() => undefined);
    return sidecar.stdout.split('\n').filter((line) => line.includes('API Called'));
  };

  it("writes daprd's lines, whatever the log level, and none for refused tokens", async () => {
    const lines = await start('{enabled: true}', ['--log-level', 'info']);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(
      /level=info msg="HTTP API Called" app_id=myapp code=200 duration=\d+ instance=\S+ method="POST \/v1\.0-alpha1\/lock\/lockstore" scope=dapr\.runtime\.http-info size=16 type=log useragent=me\/1 ver=/,
    );
    expect(lines[1]).toContain('method="GET /v1.0/healthz"');
    expect(lines[2]).toMatch(
      /msg="gRPC API Called" app_id=myapp code=3 duration=\d+ instance=\S+ method=\/dapr\.proto\.runtime\.v1\.Dapr\/UnlockAlpha1 scope=dapr\.runtime\.grpc\.api-info type=log useragent="?grpc-node-js/,
    );
  });

  it('hides paths and probes where the configuration says so', async () => {
    const lines = await start('{enabled: true, obfuscateURLs: true, omitHealthChecks: true}');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('method=TryLock ');
  });

  it('is turned on and off by the flag before the configuration', async () => {
    sidecar = await SidecarProcess.start({
      args: ['--resources-path', 'components', '--enable-api-logging', '--log-level', 'info'],
    });
    await callHttp(sidecar.httpPort, { path: LOCK, body: JSON.stringify(CALL) });
    await sidecar.waitForOutput('HTTP API Called');
  });
});
