import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { toComponentYaml, writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { callHttp, postJson } from '../support/http-call';
import { KubeApi } from '../support/kube-api';
import { OtlpReceiver } from '../support/otlp-receiver';
import { startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

/** The command line of a container that Dapr 1.18's injector adds (dapr/dapr pkg/injector/patcher). */
const INJECTED = [
  ...['--dapr-internal-grpc-port', '50002'],
  ...['--dapr-listen-addresses', '127.0.0.1'],
  ...['--app-protocol', 'http', '--app-port', '8080', '--app-max-concurrency', '-1'],
  ...['--control-plane-address', 'dapr-api.dapr-system.svc.cluster.local:443'],
  ...['--sentry-address', 'dapr-sentry.dapr-system.svc.cluster.local:443'],
  ...['--log-level', 'info', '--dapr-graceful-shutdown-seconds', '-1'],
  ...['--mode', 'kubernetes', '--config', 'appconfig'],
  ...['--placement-host-address', 'dapr-placement-server.dapr-system.svc.cluster.local:50005'],
  ...['--scheduler-host-address', 'dapr-scheduler-server-0.dapr-system.svc.cluster.local:50006'],
  ...['--actors-service', 'placement:dapr-placement-server.dapr-system.svc.cluster.local:50005'],
  ...['--max-body-size', '4Mi', '--read-buffer-size', '4Ki', '--app-health-threshold', '3'],
  '--enable-metrics',
  '--enable-mtls',
  '--disable-builtin-k8s-secret-store=false',
];

const memoryStore = (rest: object = {}) => ({
  spec: { type: 'lock.in-memory', version: 'v1' },
  ...rest,
});

describe('a sidecar in mode kubernetes', () => {
  let api: KubeApi;
  let sidecar: SidecarProcess | undefined;

  beforeEach(async () => {
    api = await KubeApi.start();
  });
  afterEach(async () => {
    await sidecar?.stop();
    sidecar = undefined;
    await api.stop();
  });

  const start = async (args: readonly string[] = ['--mode', 'kubernetes']) => {
    sidecar = await SidecarProcess.start({ args, env: api.environment });
    return sidecar;
  };
  const lock = (store: string, resourceId = 'r') =>
    postJson(sidecar!.httpPort, `/v1.0-alpha1/lock/${store}`, {
      resourceId,
      lockOwner: `${Math.random()}`,
      expiryInSeconds: 1,
    });
  const components = async (): Promise<readonly string[]> => {
    const { body } = await callHttp(sidecar!.httpPort, { method: 'GET', path: '/v1.0/metadata' });
    const { components } = JSON.parse(body) as { components: { name: string }[] };
    return components.map(({ name }) => name).sort();
  };
  const fails = async (args: readonly string[] = ['--mode', 'kubernetes']) => {
    sidecar = await SidecarProcess.spawn({ args, env: api.environment });
    expect(await sidecar.exited).toBe(1);
    return sidecar.stdout.replaceAll('\\"', '"');
  };

  it('starts with the arguments of an injected daprd, and follows its resources', async () => {
    api.put('configurations', 'appconfig', {
      spec: { components: { deny: ['lock.denied/v1'] }, metric: { enabled: true } },
    });
    api.put('components', 'lockstore', memoryStore({ scopes: ['myapp'] }));
    api.put('components', 'foreign', memoryStore({ scopes: ['other'] }));
    api.put('components', 'statestore', { spec: { type: 'state.redis', version: 'v1' } });
    api.put('resiliencies', 'policies', {
      spec: {
        policies: { timeouts: { short: '5s' } },
        targets: { components: { lockstore: { outbound: { timeout: 'short' } } } },
      },
    });
    await start(INJECTED);
    expect(sidecar!.stdout).toContain('kubernetes mode configured');
    expect(sidecar!.stdout).toContain('Loading Resiliency configuration: policies');
    expect(await components()).toEqual(['kubernetes', 'lockstore']);
    expect(await lock('lockstore')).toEqual({ success: true });

    api.put('components', 'second', memoryStore());
    await eventually(async () => {
      expect(await lock('second')).toEqual({ success: true });
    });
    api.delete('components', 'second');
    await sidecar!.waitForOutput('Component removed: second (lock.in-memory/v1)');
    api.put('components', 'foreign', memoryStore({ scopes: ['myapp'] }));
    await sidecar!.waitForOutput('Component loaded: foreign (lock.in-memory/v1)');

    api.put('configurations', 'appconfig', {
      spec: { components: { deny: ['lock.in-memory'] } },
    });
    await sidecar!.waitForOutput('is denied by the configuration');
    await eventually(async () => {
      expect(await components()).toEqual(['kubernetes']);
    });
    expect(api.requests.every(({ status }) => status === 200)).toBe(true);
    expect(sidecar!.stdout).not.toContain('first-token');
  });

  it('reads passwords from secrets, and follows them at the interval', async () => {
    const redis = await startRedisServer({ args: ['--requirepass', 'old-password'] });
    try {
      const secret = (password: string) => {
        api.put('secrets', 'redis', {
          data: { password: Buffer.from(password).toString('base64') },
        });
      };
      secret('old-password');
      const spec = {
        type: 'lock.redis',
        version: 'v1',
        metadata: [
          { name: 'redisHost', value: `127.0.0.1:${redis.port}` },
          { name: 'redisPassword', secretKeyRef: { name: 'redis', key: 'password' } },
          { name: 'redisDB', value: 0 },
        ],
      };
      api.put('components', 'unnamed', { spec });
      api.put('components', 'named', { spec, auth: { secretStore: 'kubernetes' } });
      await start(['--mode', 'kubernetes', '--hot-reload-reconcile-interval', '300ms']);
      expect(await lock('unnamed')).toEqual({ success: true });
      expect(await lock('named', 'another')).toEqual({ success: true });

      await redis.inspect(
        (client) => client.configSet('requirepass', 'new-password'),
        'old-password',
      );
      secret('new-password');
      await sidecar!.waitForOutput('Component updated: unnamed (lock.redis/v1)');
      expect(await lock('unnamed', 'third')).toEqual({ success: true });
      expect(sidecar!.stdout).not.toMatch(/(?:old|new)-password/);
    } finally {
      await redis.stop();
    }
  });

  it('reads the trace headers of its configuration from secrets', async () => {
    const collector = await new OtlpReceiver('http').start();
    try {
      api.put('secrets', 'collector', {
        data: { token: Buffer.from('Bearer hush').toString('base64') },
      });
      const endpointAddress = `127.0.0.1:${collector.port}`;
      const configure = (headers: readonly object[]) => {
        api.put('configurations', 'appconfig', {
          spec: {
            tracing: {
              samplingRate: '1',
              otel: { endpointAddress, protocol: 'http', isSecure: false, headers },
            },
          },
        });
      };
      const secretKeyRef = { name: 'collector', key: 'token' };
      configure([
        { name: 'authorization', value: 'not this', secretKeyRef },
        { name: 'x-plain', value: 'plain', secretKeyRef: { name: '', key: '' } },
      ]);
      api.put('components', 'lockstore', memoryStore());
      await start(['--mode', 'kubernetes', '--config', 'appconfig']);
      expect(await lock('lockstore')).toEqual({ success: true });
      configure([{ name: 'authorization', secretKeyRef: { name: 'collector', key: 'absent' } }]);
      await sidecar!.waitForOutput(
        "the value of trace header authorization can't be read from secret collector: the secret has no key",
      );
      // What was loaded before stays in use. A stop sends the spans at once.
      await sidecar!.stop();
      expect(collector.spans[0]?.headers).toMatchObject({
        authorization: 'Bearer hush',
        'x-plain': 'plain',
      });
      expect(sidecar!.stdout).not.toContain('hush');
    } finally {
      collector.stop();
    }
  });

  it('survives a lost API server, expired versions and a rotated token', async () => {
    api.put('components', 'lockstore', memoryStore());
    await start();
    const { port } = api;
    await eventually(() => {
      expect(api.watches).toBe(2);
    });
    await api.rotateToken('second-token');
    await api.stop();
    await sidecar!.waitForOutput('Watching components.dapr.io of namespace prod fails');
    expect(await lock('lockstore')).toEqual({ success: true });
    api.compact();
    api.put('components', 'later', memoryStore());
    api.compact();
    await api.resume(port);
    await sidecar!.waitForOutput('Component loaded: later (lock.in-memory/v1)');
    await sidecar!.waitForOutput('Watching components.dapr.io of namespace prod works again');
    expect(api.requests.some(({ status }) => status === 410)).toBe(true);
    expect(api.requests.some(({ status }) => status === 401)).toBe(false);
  });

  it.each([
    [
      'may not list components',
      () => api.forbidden.add('list components'),
      /403 components is forbidden: User "system:serviceaccount:prod:orders" cannot list resource/,
    ],
    [
      'finds no CRDs of Dapr',
      () => api.unknown.add('components'),
      /components: 404 the server could/,
    ],
    [
      'may not read a secret of a component',
      () => {
        api.forbidden.add('get secrets');
        const metadata = [{ name: 'keyPrefix', secretKeyRef: { name: 's', key: 'k' } }];
        api.put('components', 'c', { spec: { type: 'lock.in-memory', version: 'v1', metadata } });
      },
      /can't be read from secret store .*kubernetes.*: https:.*\/secrets\/s: 403 .*must be allowed to get this secret/,
    ],
  ])('that %s ends, and says why', async (_name, arrange, sentence) => {
    arrange();
    expect(await fails()).toMatch(sentence);
  });

  it.each([
    [
      'may not be read',
      { name: 's', key: 'k' },
      /from secret s: https:.*\/secrets\/s: 403 .*must be allowed/,
    ],
    ['has no key', { name: 's' }, /trace header a: secretKeyRef.key is missing/],
  ])('ends if a secret of its configuration %s', async (_what, secretKeyRef, sentence) => {
    api.forbidden.add('get secrets');
    const otel = { endpointAddress: 'a:1', headers: [{ name: 'a', secretKeyRef }] };
    api.put('configurations', 'appconfig', { spec: { tracing: { otel } } });
    expect(await fails(['--mode', 'kubernetes', '--config', 'appconfig'])).toMatch(sentence);
  });

  it('ends if its configuration does not exist', async () => {
    expect(await fails(['--mode', 'kubernetes', '--config', 'absent'])).toContain(
      'error loading configuration: there is no configuration.dapr.io absent in namespace prod',
    );
  });

  it('reads secrets in any mode, by a component', async () => {
    const folder = await writeComponent({
      name: 'cluster',
      type: 'secretstores.kubernetes',
      metadata: { defaultNamespace: 'prod' },
    });
    const component = toComponentYaml({ type: 'lock.in-memory' }).replace(
      'metadata: []',
      'metadata: [{ name: keyPrefix, secretKeyRef: { name: s, key: k } }]',
    );
    await writeFile(path.join(folder, 'store.yaml'), `${component}auth:\n  secretStore: cluster\n`);
    api.put('secrets', 's', { data: { k: Buffer.from('prefix').toString('base64') } });
    await start(['--resources-path', folder]);
    expect(await components()).toEqual(['cluster', 'lockstore']);
    expect(api.count('get', 'secrets')).toBe(1);
    expect(api.count('list', 'components')).toBe(0);
  });

  it('needs no resiliencies, and no built-in secret store', async () => {
    api.unknown.add('resiliencies');
    api.put('components', 'lockstore', memoryStore());
    await start(['--mode', 'kubernetes', '--disable-builtin-k8s-secret-store']);
    expect(await components()).toEqual(['lockstore']);
  });
});
