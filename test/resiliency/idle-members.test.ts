import { parseFile } from '../../src/manifests/manifest-file';
import type { ManifestFile } from '../../src/manifests/manifest-source';
import { Resiliency, silentResiliencyObserver } from '../../src/resiliency/resiliency';
import { RecordingLogger } from '../support/recording-logger';

const fileOf = (text: string): ManifestFile => ({
  file: 'r.yaml',
  text,
  documents: parseFile('r.yaml', text),
  problem: undefined,
});

describe('a resiliency document', () => {
  let logger: RecordingLogger;
  let resiliency: Resiliency;
  beforeEach(() => {
    logger = new RecordingLogger();
    resiliency = new Resiliency({ appId: 'myapp', logger, observer: silentResiliencyObserver });
  });
  const load = (spec: string, components?: readonly string[]) =>
    resiliency.load([fileOf(`kind: Resiliency\nmetadata: {name: r}\n${spec}\n`)], components);

  it.each([
    [
      'spec: {policies: {retries: {r: {maxRetry: 3}}}}',
      'spec.policies.retries.r.maxRetry',
      'maxRetries',
    ],
    [
      'spec: {policies: {retries: {r: {polcy: constant}}}}',
      'spec.policies.retries.r.polcy',
      'policy',
    ],
    [
      'spec: {policies: {retries: {r: {matching: {httpStatusCode: "5"}}}}}',
      'spec.policies.retries.r.matching.httpStatusCode',
      'httpStatusCodes',
    ],
    ['spec: {policies: {timeout: {t: 5s}}}', 'spec.policies.timeout', 'timeouts'],
    [
      'spec: {policies: {circuitBreakers: {b: {maxRequest: 1}}}}',
      'spec.policies.circuitBreakers.b.maxRequest',
      'maxRequests',
    ],
    ['spec: {targets: {component: {}}}', 'spec.targets.component', 'components'],
    ['spec: {target: {}}', 'spec.target', 'targets'],
    [
      'spec: {targets: {components: {lockstore: {outbund: {}}}}}',
      'spec.targets.components.lockstore.outbund',
      'outbound',
    ],
    [
      'spec: {targets: {components: {lockstore: {outbound: {retrys: x}}}}}',
      'spec.targets.components.lockstore.outbound.retrys',
      'retry',
    ],
    [
      'spec: {targets: {apps: {a: {circuitBreakr: x}}}}',
      'spec.targets.apps.a.circuitBreakr',
      'circuitBreaker',
    ],
    ['scope: [other]', 'scope', 'scopes'],
  ])('%j is warned of', (spec, place, nearest) => {
    expect(load(spec, ['lockstore'])).toBe(true);
    expect(logger.messages('warn')).toEqual([expect.stringMatching(/^r\.yaml:3:\d+ /) as string]);
    expect(logger.messages('warn')[0]).toContain(
      `${place} is unknown and ignored; did you mean ${nearest}?`,
    );
  });

  it('may have all that daprd knows, in any case', () => {
    load(
      'scopes: []\nSPEC: {POLICIES: {retries: {r: {Policy: Exponential, matching: {gRPCStatusCodes: "1"}}}}, targets: {apps: {a: {timeout: t, circuitBreakerCacheSize: 1}}, actors: {b: {circuitBreakerScope: both}}, components: {lockstore: {INBOUND: {retry: r}}}}}',
      ['lockstore'],
    );
    expect(logger.messages('warn')).toEqual([]);
    expect(logger.messages('error')).toEqual([]);
  });

  it.each([
    ['policy: linear', 'policy: must be constant or exponential, not "linear"'],
    ['policy: 5', 'policy: must be constant or exponential, not "5"'],
    ['maxRetries: many', 'maxRetries: invalid number "many"'],
    ['maxRetries: 1.5', 'maxRetries: invalid number "1.5"'],
    ['duration: soon', 'duration: invalid duration "soon"'],
  ])('with %s is refused', (member, problem) => {
    expect(load(`spec: {policies: {retries: {r: {${member}}}}}`)).toBe(false);
    expect(logger.messages('error')[0]).toContain(`spec.policies.retries.r.${problem}`);
  });

  it('takes a number of retries in any form of a number', () => {
    expect(load('spec: {policies: {retries: {r: {maxRetries: 1e6}}}}')).toBe(true);
  });

  it('with a target that is no component is warned of, once', () => {
    const spec = 'spec: {targets: {components: {lockstor: {outbound: {}}, statestore: {}}}}';
    load(spec, ['lockstore', 'statestore']);
    load(spec, ['lockstore', 'statestore']);
    expect(logger.messages('warn')).toEqual([
      'r.yaml:3:41 spec.targets.components.lockstor names a component that is not loaded, and has no effect; did you mean lockstore?',
    ]);
  });

  it('counts though a document after it is broken', () => {
    const text = 'kind: Resiliency\nmetadata: {name: r}\n---\na: [\n';
    expect(resiliency.load([fileOf(text)])).toBe(true);
    expect(resiliency.names).toEqual(['r']);
  });

  it('stays in use while its own text is broken', () => {
    load('spec: {}');
    expect(resiliency.load([fileOf('kind: Resiliency\nspec: [\n---\na: b\n')])).toBe(false);
    expect(resiliency.names).toEqual(['r']);
    expect(logger.messages('error')[0]).toContain('its previous contents stay in use');
  });
});
