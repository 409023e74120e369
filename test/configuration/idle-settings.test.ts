import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { loadConfiguration } from '../../src/configuration/load-configuration';
import { createFolder } from '../support/component-files';
import { RecordingLogger } from '../support/recording-logger';

describe('a configuration', () => {
  let folder: string;
  let logger: RecordingLogger;
  beforeEach(async () => {
    folder = await createFolder();
    logger = new RecordingLogger();
  });
  afterEach(() => rm(folder, { recursive: true }));

  const load = async (text: string) => {
    const file = path.join(folder, 'c.yaml');
    await writeFile(file, text);
    return loadConfiguration({ files: [file], environment: {}, logger });
  };
  const warnings = () => logger.messages('warn').map((line) => line.replace(`${folder}/`, ''));

  describe('with a name that nobody knows', () => {
    it.each([
      ['spec: {tracing: {samplingRat: "1"}}', 'spec.tracing.samplingRat', 'samplingRate'],
      [
        'spec: {tracing: {zipkin: {endpointAdress: "http://z"}}}',
        'spec.tracing.zipkin.endpointAdress',
        'endpointAddress',
      ],
      ['spec: {tracing: {otel: {header: [a=1]}}}', 'spec.tracing.otel.header', 'headers'],
      [
        'spec: {tracing: {otel: {endpointAddress: "a:1", headers: [{name: a, value: b, nam: c}]}}}',
        'spec.tracing.otel.headers[0].nam',
        'name',
      ],
      [
        'spec: {logging: {apiLogging: {enable: true}}}',
        'spec.logging.apiLogging.enable',
        'enabled',
      ],
      ['spec: {logging: {apiLoging: {}}}', 'spec.logging.apiLoging', 'apiLogging'],
      [
        'spec: {metrics: {http: {excludeVerb: true}}}',
        'spec.metrics.http.excludeVerb',
        'excludeVerbs',
      ],
      ['spec: {metric: {enable: true}}', 'spec.metric.enable', 'enabled'],
      ['spec: {api: {alowed: []}}', 'spec.api.alowed', 'allowed'],
      [
        'spec: {api: {denied: [{name: lock, version: v1alpha1, protcol: http}]}}',
        'spec.api.denied[0].protcol',
        'protocol',
      ],
      ['spec: {components: {denny: []}}', 'spec.components.denny', 'deny'],
      ['spec: {features: [{name: HotReload, enable: true}]}', 'spec.features[0].enable', 'enabled'],
      [
        'spec: {accessControl: {defaultActoin: deny}}',
        'spec.accessControl.defaultActoin',
        'defaultAction',
      ],
      [
        'spec: {accessControl: {policies: [{operations: [{htpVerb: [GET]}]}]}}',
        'spec.accessControl.policies[0].operations[0].htpVerb',
        'httpVerb',
      ],
      [
        'spec: {secrets: {scopes: [{storName: x}]}}',
        'spec.secrets.scopes[0].storName',
        'storeName',
      ],
      ['spec: {httpPipeline: {handler: []}}', 'spec.httpPipeline.handler', 'handlers'],
      [
        'spec: {metrics: {rules: [{labels: [{nam: x}]}]}}',
        'spec.metrics.rules[0].labels[0].nam',
        'name',
      ],
      ['metdata: {}', 'metdata', 'metadata'],
      ['metadata: {nmae: x}', 'metadata.nmae', 'name'],
    ])('is warned of in %j', async (text, place, nearest) => {
      await load(text);
      expect(warnings()).toEqual([expect.stringMatching(/^c\.yaml:1:\d+ /) as string]);
      expect(warnings()[0]).toContain(`${place} is unknown and ignored; did you mean ${nearest}?`);
    });

    it('is told of a name in other letters, which daprd passes over too', async () => {
      const { tracing } = await load('spec: {tracing: {SamplingRate: "1"}}');
      expect(tracing.samplingRate).toBeUndefined();
      expect(warnings()).toEqual([
        'c.yaml:1:32 spec.tracing.SamplingRate is unknown and ignored (names are case-sensitive here); did you mean samplingRate?',
      ]);
    });

    it('is told of one that stands too deep', async () => {
      await load('metadata:\n  name: x\n  spec: {tracing: {stdout: true}}\n');
      expect(warnings()).toEqual([
        'c.yaml:3:9 metadata.spec is unknown and ignored: it is nested too deep, check its indentation',
      ]);
    });
  });

  it("is not warned of daprd's sections that have no effect", async () => {
    await load(`apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: {name: c, namespace: x, labels: {a: b}, annotations: {}}
spec:
  accessControl: {defaultAction: deny}
  appHttpPipeline: {}
  httpPipeline: {handlers: []}
  metrics: {rules: [{name: x}]}
  mtls: {enabled: true}
  nameResolution: {component: mdns}
  secrets: {scopes: []}
  wasm: {strictSandbox: true}
  workflow: {}
`);
    expect(warnings()).toEqual([]);
    expect(logger.messages('info')).toHaveLength(8);
  });

  describe('with a rule of the API', () => {
    const rule = (members: string) => load(`spec: {api: {denied: [{${members}}]}}`);

    it.each([
      ['name: shutdwn, version: v1', 'spec.api.denied[0].name: must be one of', 'shutdown'],
      ['name: Shutdown, version: v1', 'spec.api.denied[0].name: must be one of', 'shutdown'],
      ['name: lock, version: v1alpha', 'spec.api.denied[0].version: must be one of', 'v1alpha1'],
      ['version: v1', 'spec.api.denied[0].name: is missing', ''],
      ['name: lock, version: v1alpha1, protocol: tcp', '.protocol: must be http or grpc', ''],
    ])('whose word is none is refused: {%s}', async (members, problem, nearest) => {
      await expect(rule(members)).rejects.toThrow(problem);
      if (nearest !== '') await expect(rule(members)).rejects.toThrow(`did you mean ${nearest}?`);
    });

    it.each(['state', 'publish', 'workflows', 'secrets', 'invoke'])(
      'of an API that daprd has and this sidecar does not, %s, is taken',
      async (name) => {
        await rule(`name: ${name}, version: v1.0`);
        expect(warnings()).toEqual([]);
      },
    );

    it.each([
      ['HTTP', 'http'],
      ['Grpc', 'grpc'],
      ['""', undefined],
    ])('over protocol %s counts as over %s', async (written, protocol) => {
      const { api } = await rule(`name: lock, version: v1alpha1, protocol: ${written}`);
      expect(api.denied[0]?.protocol).toBe(protocol);
    });

    it.each([
      ['name: shutdown', 'has no version: the rule has no effect (allowed: v1, v1.0)'],
      ['name: lock, version: v1', 'has version v1, which lock lacks: the rule has no effect'],
    ])('that has no effect is warned of: {%s}', async (members, reason) => {
      await rule(members);
      expect(warnings()[0]).toContain(`spec.api.denied[0] ${reason}`);
    });
  });

  describe('with headers for a receiver', () => {
    const headersOf = async (headers: string) =>
      (await load(`spec: {tracing: {otel: {endpointAddress: "a:1", headers: ${headers}}}}`)).tracing
        .otel?.headers;

    it.each([
      ['["a=1", "b=x=y, z%20"]', { a: '1', b: 'x=y, z%20' }],
      ['"a=1,b=x%20y"', { a: '1', b: 'x y' }],
      ['{a: 1, b: x}', { a: '1', b: 'x' }],
      ['[{name: a, value: 1}]', { a: '1' }],
      ['[{name: a, value: 1, secretKeyRef: {name: "", key: ""}}]', { a: '1' }],
      ['[{name: a, value: "", secretKeyRef: {name: "", key: ""}}]', { a: '' }],
    ])('takes %s', async (headers, expected) => {
      await expect(headersOf(headers)).resolves.toEqual(expected);
      expect(warnings()).toEqual([]);
    });

    it.each([
      '[{name: a, secretKeyRef: {name: s, key: k}}]',
      '[{name: a, value: "", secretKeyRef: {name: s, key: k}}]',
      '[{name: a, envRef: E}]',
    ])('refuses %s, whose value it would not send', async (headers) => {
      await expect(headersOf(headers)).rejects.toThrow(
        /the value of header a is elsewhere.*; set the variable OTEL_EXPORTER_OTLP_HEADERS/,
      );
    });

    it.each([['["hush"]', 'header 1 is not of the form name=value']])(
      'refuses %s without naming it',
      async (headers, problem) => {
        await expect(headersOf(headers)).rejects.toThrow(problem);
        await expect(headersOf(headers)).rejects.not.toThrow('hush');
      },
    );
  });

  it('with a feature that is nearly one is warned of', async () => {
    await load('spec: {features: [{name: HotRelaod, enabled: false}, {name: Resiliency}]}');
    expect(warnings()).toEqual([
      'c.yaml:1:26 spec.features[0] HotRelaod is unknown; did you mean HotReload?',
    ]);
  });
});
