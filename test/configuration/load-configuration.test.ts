import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { createApiAccess } from '../../src/configuration/api-access';
import {
  DEFAULT_CONFIGURATION,
  isComponentDenied,
  isFeatureEnabled,
} from '../../src/configuration/configuration';
import { loadConfiguration } from '../../src/configuration/load-configuration';
import { createFolder } from '../support/component-files';
import { RecordingLogger } from '../support/recording-logger';

describe('loadConfiguration', () => {
  let folder: string;
  let logger: RecordingLogger;
  beforeEach(async () => {
    folder = await createFolder();
    logger = new RecordingLogger();
  });
  afterEach(() => rm(folder, { recursive: true }));

  let environment: Record<string, string>;
  beforeEach(() => {
    environment = { RATE: '0.5', HOST: 'collector:4317' };
  });

  const load = async (...texts: readonly string[]) => {
    const files = texts.map((_text, index) => path.join(folder, `${index}.yaml`));
    await Promise.all(texts.map((text, index) => writeFile(files[index]!, text)));
    return loadConfiguration({ files, environment, logger });
  };

  it("has daprd's defaults without a file", async () => {
    await expect(load()).resolves.toBe(DEFAULT_CONFIGURATION);
    expect(isFeatureEnabled(DEFAULT_CONFIGURATION, 'HotReload')).toBe(true);
  });

  it('reads every section that a lock sidecar has a use for', async () => {
    const configuration = await load(`
kind: Configuration
spec:
  tracing:
    samplingRate: "$RATE"
    stdout: true
    zipkin: {endpointAddress: "http://zipkin:9411/api/v2/spans"}
    otel: {endpointAddress: "\${HOST}", isSecure: false, protocol: grpc, headers: "a=1,b=x=y%20z", timeout: 5s}
  metrics:
    enabled: true
    recordErrorCodes: true
    latencyDistributionBuckets: [1, 10]
    http: {increasedCardinality: false, pathMatching: ["/v1.0-alpha1/lock/{store}"], excludeVerbs: true}
  logging: {apiLogging: {enabled: true, obfuscateURLs: true, omitHealthChecks: true}}
  api:
    allowed: [{name: lock, version: v1alpha1, protocol: http}]
    denied: [{name: shutdown, version: v1}]
  components: {deny: [lock.in-memory, lock.redis/v2]}
  features: [{name: HotReload, enabled: false}]
`);
    expect(configuration).toEqual({
      tracing: {
        samplingRate: '0.5',
        stdout: true,
        zipkinEndpoint: 'http://zipkin:9411/api/v2/spans',
        otel: {
          url: 'http://collector:4317',
          protocol: 'grpc',
          headers: { a: '1', b: 'x=y z' },
          timeoutMs: 5000,
        },
      },
      metrics: {
        enabled: true,
        recordErrorCodes: true,
        latencyBucketsMs: [1, 10],
        http: {
          increasedCardinality: false,
          pathMatching: ['/v1.0-alpha1/lock/{store}'],
          excludeVerbs: true,
        },
      },
      apiLogging: { enabled: true, obfuscateUrls: true, omitHealthChecks: true },
      api: {
        allowed: [{ name: 'lock', version: 'v1alpha1', protocol: 'http' }],
        denied: [{ name: 'shutdown', version: 'v1', protocol: undefined }],
      },
      deniedComponents: ['lock.in-memory', 'lock.redis/v2'],
      features: new Map([['HotReload', false]]),
    });
  });

  it('lays later files over earlier ones', async () => {
    const configuration = await load(
      'spec: {tracing: {samplingRate: "1", stdout: true}, metric: {enabled: false}}',
      'spec: {tracing: {samplingRate: "0"}}',
    );
    expect(configuration.tracing).toMatchObject({ samplingRate: '0', stdout: true });
    expect(configuration.metrics.enabled).toBe(false);
  });

  it('fills in what is not set as nothing, as Go does', async () => {
    const { tracing } = await load('spec: {tracing: {samplingRate: "$NOT_SET"}}');
    expect(tracing.samplingRate).toBeUndefined();
  });

  it.each([
    ['spec: {tracing: {samplingRate: "2"}}', '1:32 spec.tracing.samplingRate: must be a number'],
    ['spec:\n  metrics:\n    enabled: maybe', '3:14 spec.metrics.enabled: must be true or false'],
    [
      'spec:\n  api:\n    allowed: [{protocol: x, name: lock}]',
      '3:26 spec.api.allowed[0].protocol',
    ],
    ['spec:\n  tracing: [', '2:13 '],
    ['spec: {tracing: {otel: {timeout: soon}}}', '1:34 spec.tracing.otel.timeout: invalid'],
    [
      'spec:\n  tracing:\n    zipkin: {endpointAddress: zipkin}',
      '3:31 spec.tracing.zipkin.endpointAddress: must be a URL of http or https, not "zipkin"',
    ],
    [
      'spec:\n  tracing:\n    zipkin: {endpointAddress: "localhost:9411/api/v2/spans"}',
      '3:31 spec.tracing.zipkin.endpointAddress: must be a URL of http or https, not "localhost',
    ],
    [
      'spec:\n  tracing:\n    otel: {endpointAddress: "ftp://x"}',
      '3:29 spec.tracing.otel.endpointAddress: must be host:port or a URL of http or https, not "ftp',
    ],
    [
      'spec:\n  tracing:\n    otel: {endpointAddress: "a b:1"}',
      '3:29 spec.tracing.otel.endpointAddress: must be host:port or a URL of http or https, not "a',
    ],
    [
      'spec:\n  tracing:\n    otel: {endpointAddress: "a:1", headers: "a=1,hush"}',
      '3:45 spec.tracing.otel.headers: header 2 is not of the form name=value',
    ],
    [
      'spec:\n  tracing:\n    otel: {endpointAddress: "a:1", headers: {a: "b\\nhush"}}',
      '3:45 spec.tracing.otel.headers: header a has an invalid value',
    ],
    [
      'spec:\n  tracing:\n    otel: {endpointAddress: "a:1", headers: {a: [b]}}',
      '3:45 spec.tracing.otel.headers: must be a list of strings of the form a=1, a string of the form a=1,b=2, or a map',
    ],
    ['spec: {tracing: {samplingRate: " "}}', '1:32 spec.tracing.samplingRate: must be a number'],
    [
      'spec:\n  metrics:\n    latencyDistributionBuckets: [100, 10, -1, 10]',
      '3:39 spec.metrics.latencyDistributionBuckets[1]: must be greater than 100: buckets are positive',
    ],
    [
      'spec:\n  metric:\n    latencyDistributionBuckets: [0]',
      '3:34 spec.metric.latencyDistributionBuckets[0]: must be greater than 0: buckets are positive',
    ],
    [
      'spec:\n  metric:\n    latencyDistributionBuckets: [5, 5]',
      '3:37 spec.metric.latencyDistributionBuckets[1]: must be greater than 5: buckets are positive',
    ],
  ])('names what is wrong with %j and where', async (text, problem) => {
    await expect(load(text)).rejects.toThrow(
      `error loading configuration: ${path.join(folder, '0.yaml')}:${problem}`,
    );
  });

  it.each(['0', '"0"', '-5s', '""'])('takes time-out %s for none', async (timeout) => {
    const otel = `{endpointAddress: "a:1", timeout: ${timeout}, headers: {a: 1}}`;
    const { tracing } = await load(`spec: {tracing: {otel: ${otel}}}`);
    expect(tracing.otel).toMatchObject({ timeoutMs: undefined, headers: { a: '1' } });
  });

  it.each([
    ['collector:4318', 'http', 'https://collector:4318/v1/traces'],
    ['collector:4317', 'grpc', 'https://collector:4317'],
    ['http://collector:4318', 'http', 'http://collector:4318/v1/traces'],
    ['https://collector/otlp/v1/traces', 'http', 'https://collector/otlp/v1/traces'],
    ['[::1]:4318', 'http', 'https://[::1]:4318/v1/traces'],
  ])('takes %s over %s for %s, by TLS unless it says otherwise', async (address, protocol, url) => {
    const otel = `{endpointAddress: "${address}", protocol: ${protocol}}`;
    const { tracing } = await load(`spec: {tracing: {otel: ${otel}}}`);
    expect(tracing.otel).toMatchObject({ url, protocol });
  });

  describe('an OTLP receiver that is described in several places', () => {
    const otel = async (...members: readonly string[]) => {
      const texts = members.map((text) => `spec: {tracing: {otel: ${text}}}`);
      return (await load(...texts)).tracing.otel;
    };

    it('has each member of the last file that names it', async () => {
      await expect(
        otel(
          '{endpointAddress: "a:1", protocol: http, isSecure: false, timeout: 5s}',
          '{headers: "k=v"}',
          '{endpointAddress: "b:2", timeout: 3s}',
        ),
      ).resolves.toEqual({
        url: 'http://b:2/v1/traces',
        protocol: 'http',
        headers: { k: 'v' },
        timeoutMs: 3000,
      });
    });

    it('has what its file says though the endpoint stands in the environment', async () => {
      environment.OTEL_EXPORTER_OTLP_ENDPOINT = 'collector:4318';
      environment.OTEL_EXPORTER_OTLP_PROTOCOL = 'grpc';
      environment.OTEL_EXPORTER_OTLP_TIMEOUT = '7';
      await expect(otel('{isSecure: false, protocol: http, headers: "k=v"}')).resolves.toEqual({
        url: 'http://collector:4318/v1/traces',
        protocol: 'http',
        headers: { k: 'v' },
        timeoutMs: 7,
      });
    });

    it('is named where its endpoint stands nowhere', async () => {
      await expect(otel('{headers: "k=v"}')).resolves.toBeUndefined();
      expect(logger.messages('warn')).toEqual([
        'spec.tracing.otel has no effect: it has no endpointAddress, and OTEL_EXPORTER_OTLP_ENDPOINT is not set',
      ]);
    });
  });

  it('ends where a file is missing', async () => {
    const files = [path.join(folder, 'none.yaml')];
    await expect(loadConfiguration({ files, environment: {}, logger })).rejects.toThrow(
      /^error loading configuration: .*none\.yaml: it does not exist, .* \(ENOENT\)$/,
    );
  });

  it('warns about sections that nobody knows, and not about those of daprd', async () => {
    await load('spec:\n  tarcing: {}\n  mtls: {enabled: true}\n');
    expect(logger.messages('warn')).toEqual([
      `${path.join(folder, '0.yaml')}:2:12 spec.tarcing is unknown and ignored; did you mean tracing?`,
    ]);
  });
});

describe('isComponentDenied', () => {
  const configuration = { ...DEFAULT_CONFIGURATION, deniedComponents: ['a.b', 'c.d/v1'] };

  it.each([
    ['a.b', 'v1', true],
    ['A.B', 'v9', true],
    ['c.d', 'v1', true],
    ['c.d', 'v2', false],
    ['e.f', 'v1', false],
    ['e.f', '', true],
  ])('%s version %j: %s', (type, version, isDenied) => {
    expect(isComponentDenied(configuration, { type, version })).toBe(isDenied);
  });

  it('denies nothing without a list', () => {
    expect(isComponentDenied(DEFAULT_CONFIGURATION, { type: 'a.b', version: '' })).toBe(false);
  });
});

describe('createApiAccess', () => {
  const rule = (name: string, version: string, protocol?: 'http' | 'grpc') => ({
    name,
    version,
    protocol,
  });

  it('allows everything without rules', () => {
    expect(createApiAccess({ allowed: [], denied: [] })('lock', 'http')).toBe(true);
  });

  it('allows only what is named, over the transport that it is named for', () => {
    const isAllowed = createApiAccess({ allowed: [rule('lock', 'v1alpha1', 'http')], denied: [] });
    expect([isAllowed('lock', 'http'), isAllowed('unlock', 'http')]).toEqual([true, false]);
    expect([isAllowed('lock', 'grpc'), isAllowed('unlock', 'grpc')]).toEqual([true, true]);
  });

  it('denies what is named, whatever allows it, and takes the older version', () => {
    const isAllowed = createApiAccess({
      allowed: [rule('metadata', 'v1')],
      denied: [rule('metadata', 'v1.0'), rule('lock', 'v1')],
    });
    expect(isAllowed('metadata', 'grpc')).toBe(false);
    expect(createApiAccess({ allowed: [], denied: [rule('lock', 'v1')] })('lock', 'http')).toBe(
      true,
    );
  });

  it.each(['lock', 'unlock'])('denies the native API with %s, on the same transport', (name) => {
    const isAllowed = createApiAccess({ allowed: [], denied: [rule(name, 'v1alpha1', 'http')] });
    expect(isAllowed('locks', 'http')).toBe(false);
    expect(isAllowed('locks', 'grpc')).toBe(true);
  });
});
