import { parseComponents } from '../../src/components/component-file';
import { selectComponents } from '../../src/components/select-components';
import { parseFile } from '../../src/manifests/manifest-file';

const HEAD = 'apiVersion: dapr.io/v1alpha1\nkind: Component\n';

const select = (text: string, options: { namespace?: string } = {}) => {
  const file = { file: 'c.yaml', text, documents: parseFile('c.yaml', text), problem: undefined };
  return selectComponents([file], { appId: 'myapp', namespace: options.namespace });
};

describe('a component document', () => {
  it.each([
    ['metadata: {nmae: c}\nspec: {type: lock.redis}', '3:18 metadata.nmae', '; did you mean name?'],
    ['spec: {type: lock.redis, verison: v1}', '3:35 spec.verison', '; did you mean version?'],
    [
      'spec: {type: lock.redis, ignoreError: true}',
      'spec.ignoreError',
      '; did you mean ignoreErrors?',
    ],
    ['spec: {type: lock.redis, metdata: []}', 'spec.metdata', '; did you mean metadata?'],
    [
      'spec:\n  type: lock.redis\n  metadata:\n  - {name: a, vlaue: b}',
      'spec.metadata[0].vlaue',
      '; did you mean value?',
    ],
    [
      'spec:\n  type: lock.redis\n  metadata:\n  - {name: a, secretKeyRef: {name: b, kye: c}}',
      'spec.metadata[0].secretKeyRef.kye',
      '; did you mean key?',
    ],
    ['spec: {type: lock.redis}\nscope: [other]', '4:8 scope', '; did you mean scopes?'],
    [
      'spec: {type: lock.redis}\nauth: {secretstor: x}',
      'auth.secretstor',
      '; did you mean secretStore?',
    ],
    [
      'spec: {type: lock.redis, scopes: [other]}',
      'spec.scopes',
      ': it is nested too deep, check its indentation',
    ],
    ['spec: {type: lock.redis, quite: other}', 'spec.quite', ''],
  ])('%j is taken, and what nobody knows in it is warned of', (text, place, hint) => {
    const { manifests, warnings } = select(HEAD + text);
    expect(manifests).toHaveLength(1);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^c\.yaml:\d+:\d+ /);
    expect(warnings[0]?.endsWith(`${place} is unknown and ignored${hint}`)).toBe(true);
  });

  it('may have what Kubernetes writes, in any case', () => {
    const { warnings } = select(
      `${HEAD}METADATA: {Name: c, labels: {a: b}, annotations: {x: y}, creationTimestamp: null, uid: u, finalizers: []}\nSPEC: {Type: lock.redis, IGNOREERRORS: true, metadata: [{NAME: a, Value: {any: thing}}]}\n`,
    );
    expect(warnings).toEqual([]);
  });

  it.each(['constructor', '__proto__', 'toString'])('may be of any type: %s', (type) => {
    const { manifests, warnings } = select(`${HEAD}spec: {type: ${type}, metadata: [{name: a}]}\n`);
    expect([manifests[0]?.type, warnings]).toEqual([type, []]);
  });

  it('of locks in memory is warned of metadata that nobody reads', () => {
    const { warnings } = select(
      `${HEAD}spec:\n  type: lock.in-memory\n  metadata:\n  - {name: keyPrefx, value: name}\n  - {name: KEYPREFIX, value: name}\n`,
    );
    expect(warnings).toEqual([
      'c.yaml:6:12 metadata property keyPrefx is unknown and ignored; did you mean keyPrefix?',
    ]);
  });

  it('of a secret store is warned of metadata that nobody reads', () => {
    const { warnings } = select(
      `${HEAD}spec:\n  type: secretstores.local.file\n  metadata:\n  - {name: secretFile, value: x}\n  - {name: MULTIVALUED, value: "true"}\n`,
    );
    expect(warnings).toEqual([
      'c.yaml:6:12 metadata property secretFile is unknown and ignored; did you mean secretsFile?',
    ]);
  });

  it.each([
    [
      'apiVersion: dapr.io/v1alpha1\nkind: Componnent',
      '2:7 kind: "Componnent" is unknown, so the document is ignored; did you mean Component?',
    ],
    [
      'apiVersion: dapr.io/v1alpha1\nkind: component',
      '2:7 kind: "component" is unknown, so the document is ignored; did you mean Component?',
    ],
    ['apiVersion: dapr.io/v1alpha1\nkind: Resilency', 'did you mean Resiliency?'],
    [
      'apiVersion: dapr.io/v1alpah1\nkind: Component',
      '1:13 apiVersion: "dapr.io/v1alpah1" is not dapr.io/v1alpha1, so the document is ignored',
    ],
    ['kind: Component', 'apiVersion: nothing is not dapr.io/v1alpha1'],
    ['apiVersion: dapr.io/v1alpha1\nspec: {type: lock.redis}', 'kind: is missing'],
  ])('that is nearly one is told: %j', (text, sentence) => {
    const { manifests, warnings } = select(`${text}\n`);
    expect(manifests).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining(sentence)]);
  });

  it.each([
    'apiVersion: apps/v1\nkind: Deployment\nmetdata: {}\n',
    'apiVersion: dapr.io/v2alpha1\nkind: Subscription\n',
    'apiVersion: dapr.io/v1alpha1\nkind: Configuration\n',
    '- a\n- b\n',
    'just text',
    '5',
    '{}',
  ])('of another kind is passed over without a word: %j', (text) => {
    expect(select(text)).toMatchObject({ manifests: [], warnings: [], broken: new Map() });
  });

  it('that is for others is told by name and reason, and its slips are left to them', () => {
    const text = `${HEAD}metadata: {name: a, namespace: test}\nspec: {type: lock.redis, typo: 1}\n---\n${HEAD}metadata: {name: b}\nspec: {type: lock.redis}\nscopes: [x, z]\n`;
    expect(select(text, { namespace: 'prod' })).toMatchObject({
      manifests: [],
      warnings: [],
      names: ['a', 'b'],
      passedOver: [
        'Component a (lock.redis) in c.yaml is ignored: its namespace is test, but NAMESPACE is prod',
        'Component b (lock.redis) in c.yaml is ignored: its scopes (x, z) do not contain the app id myapp',
      ],
    });
  });
});

describe('a broken document', () => {
  const GOOD = `${HEAD}metadata: {name: good}\nspec: {type: lock.redis}\n`;

  it.each([
    [
      'a Deployment that is no YAML',
      'apiVersion: apps/v1\nkind: Deployment\nspec: [\n',
      /sufficiently indented and end with a \]/,
    ],
    ['an open quote', 'a: "b\n', /Missing closing/],
    ['a tab for indentation', 'a:\n\tb: c\n', /Tabs/],
    ['an alias without its anchor', 'a: *nowhere\n', /:4 the alias \*nowhere has no anchor/],
    ['an alias of itself', 'a: &a [*a]\n', /:8 the alias \*a contains itself/],
    ['a merge of itself', 'a: &a {<<: *a}\n', /contains itself/],
    ['a key that is a list', '? [a]\n: b\n', /:3 a key must be a string/],
    ['a component without a spec', HEAD, /spec: is missing$/],
    [
      'a component with a spec too deep',
      `${HEAD}metadata:\n  spec: {type: lock.redis}\n`,
      /too deep, check its indentation/,
    ],
    [
      'a component with typ',
      `${HEAD}spec: {typ: lock.redis}\n`,
      /spec\.type: is missing\n.*spec\.typ is unknown and ignored; did you mean type\?$/,
    ],
    [
      'a component with a number that has no end',
      `${HEAD}spec: {type: lock.redis, metadata: [{name: a, value: .inf}]}\n`,
      /must be a finite number$/,
    ],
    [
      'a component of a name with /',
      `${HEAD}metadata: {name: a/b}\nspec: {type: lock.redis}\n`,
      /metadata\.name: must be usable/,
    ],
    [
      'scopes that are a text',
      `${HEAD}spec: {type: lock.redis}\nscopes: myapp\n`,
      /scopes: must be a list/,
    ],
  ])('that is %s does not hide its neighbours', (_name, bad, problem) => {
    for (const text of [
      `${bad}---\n${GOOD}`,
      `${GOOD}---\n${bad}`,
      `${bad}--- # x\n${GOOD}---\n${bad}`,
    ]) {
      const { manifests, broken } = select(text);
      expect(manifests.map(({ name }) => name)).toEqual(['good']);
      expect(broken.get('c.yaml')).toMatch(problem);
    }
  });

  it('is told with its place in the file, not in the document', () => {
    const { broken } = select(`${GOOD}---\na: [\n---\n${GOOD.replace('good', 'b')}`);
    expect(broken.get('c.yaml')).toMatch(/c\.yaml:6:\d+ /);
  });

  it.each([
    ['an empty document', `---\n---\n${GOOD}---\n`],
    ['a comment', `# nothing\n---\n${GOOD}`],
    ['lines of Windows', `a: b\r\n---\r\n${GOOD.replaceAll('\n', '\r\n')}`],
    ['the end of a document', `a: b\n...\n---\n${GOOD}`],
  ])('is not %s', (_name, text) => {
    const { manifests, broken } = select(text);
    expect([manifests.map(({ name }) => name), broken.size]).toEqual([['good'], 0]);
  });

  it.each([
    ['an entry without a name', '- value: x'],
    ['an empty entry', '-'],
    ['an entry of an empty name', '- {name: "", value: x}'],
  ])('is not one with %s: as in daprd that is no property, and it is told', (_name, entry) => {
    const text = `${HEAD}metadata: {name: c}\nspec:\n  type: lock.redis\n  metadata:\n  ${entry}\n  - {name: a, value: b}\n`;
    const { manifests, broken, warnings } = select(text);
    expect(broken.size).toBe(0);
    expect(manifests[0]?.properties.map(({ name }) => name)).toEqual(['a']);
    expect(warnings).toEqual([
      expect.stringMatching(/^c\.yaml:7:\d+ spec\.metadata\[0\] has no name and is ignored$/),
    ]);
  });

  it('of a billion laughs ends in time', () => {
    const levels = Array.from({ length: 20 }, (_, at) =>
      at === 0 ? 'a0: &a0 [x, x]' : `a${at}: &a${at} [*a${at - 1}, *a${at - 1}]`,
    );
    const { problems, manifests } = parseComponents(
      'f',
      parseFile('f', `${levels.join('\n')}\n---\n${GOOD}`),
    );
    expect(problems).toEqual([expect.stringMatching(/aliases that expand to more than/)]);
    expect(manifests).toHaveLength(1);
  });
});
