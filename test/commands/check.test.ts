import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { runCommand } from '../support/command-process';
import { createFolder } from '../support/component-files';

async function check(files: Readonly<Record<string, string>>, ...more: readonly string[]) {
  const folder = await createFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const args = more.map((word) => word.replace('FOLDER', folder));
  const end = await runCommand(['check', '--components', folder, ...args]);
  return { ...end, stdout: end.stdout.replaceAll(`${folder}/`, '') };
}

const component = (spec: string, name = 'lockstore'): string =>
  `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${name}
spec:
  type: lock.redis
  metadata:
  - {name: redisHost, value: "127.0.0.1:1"}
${spec}`;

it('finds nothing wrong in what is right, and connects nowhere', async () => {
  const secret =
    '  - {name: redisPassword, secretKeyRef: {name: a, key: b}}\n  - {name: readTimeout, envRef: NOPE}\n';
  const end = await check({ 'a.yaml': component(secret), 'README.md': 'not yaml' });
  expect(end).toEqual({
    code: 0,
    stdout: 'nothing is wrong (components: lockstore)\n',
    stderr: '',
  });
});

it.each([
  [
    'an unknown member',
    '  ignoreErors: true\n',
    'a.yaml:9:16 spec.ignoreErors is unknown and ignored; did you mean ignoreErrors?',
  ],
  [
    'one that is deep',
    '  - {name: redisPassword, secretKeyRef: {nam: x, key: y}}\n',
    'a.yaml:9:47 spec.metadata[1].secretKeyRef.nam is unknown and ignored; did you mean name?',
  ],
  [
    'unknown metadata',
    '  - {name: redisPasword, value: x}\n',
    'a.yaml:9:12 metadata property redisPasword is unknown and ignored; did you mean redisPassword?',
  ],
  [
    'an invalid value',
    '  - {name: readTimeout, value: soon}\n',
    `a.yaml:9:32 error decoding 'readTimeout': invalid duration "soon"`,
  ],
  ['an invalid prefix', '  - {name: keyPrefix, value: "a||b"}\n', 'a.yaml:9:30 '],
  ['broken YAML', '  x: [1\n', 'a.yaml:10:1 '],
  [
    'a nearly right kind',
    '---\nkind: Componnet\napiVersion: dapr.io/v1alpha1\n',
    'a.yaml:10:7 kind: "Componnet" is unknown, so the document is ignored; did you mean Component?',
  ],
  [
    'an unknown type',
    '---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: b}\nspec: {type: lock.rediss}\n',
    `a.yaml:13:14 couldn't find lock store lock.rediss`,
  ],
  [
    'a second one of the name',
    `---\n${component('')}`,
    'a.yaml metadata.name: lockstore is also in ',
  ],
])('says %s with its place', async (_what, spec, problem) => {
  const end = await check({ 'a.yaml': component(spec) });
  expect(end).toMatchObject({ code: 1, stderr: '' });
  expect(end.stdout).toContain(problem);
});

it('says all of it: of every file, policies and configurations too', async () => {
  const resiliency = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: r}
spec:
  policies: {timeouts: {a: 5s}}
  targets: {components: {lockstoer: {outbound: {timeout: a}}}}
`;
  const configuration = `kind: Configuration
spec:
  tracing: {samplingRat: "1"}
  api: {allowed: [{name: lok}]}
`;
  const files = {
    'a.yaml': component('  ignoreErors: true\n'),
    'b.yaml': resiliency,
    'c.txt': configuration,
  };
  const end = await check(files, '--config', 'FOLDER/c.txt', '--config', 'FOLDER/none');
  expect(end.code).toBe(1);
  expect(end.stdout.split('\n')).toEqual([
    expect.stringMatching(
      /^c.txt:4:26 spec.api.allowed\[0\].name: must be one of .* did you mean lock\?$/,
    ),
    'c.txt:3:26 spec.tracing.samplingRat is unknown and ignored; did you mean samplingRate?',
    expect.stringMatching(/^none: it does not exist/),
    'a.yaml:9:16 spec.ignoreErors is unknown and ignored; did you mean ignoreErrors?',
    expect.stringMatching(
      /^b.yaml:6:\d+ spec.targets.components.lockstoer names a component that is not loaded.* did you mean lockstore\?$/,
    ),
    '',
  ]);
});

it('connects where it is asked to', async () => {
  const spec = '  initTimeout: 300ms\n';
  const end = await check({ 'a.yaml': component(spec) }, '--connect');
  expect(end.code).toBe(1);
  expect(end.stdout).toMatch(/lockstore.*(?:ECONNREFUSED|can't be reached|init timeout)/);
});

it('takes a folder that can not be read as wrong', async () => {
  const end = await check({}, '--components', '/nope');
  expect(end).toMatchObject({ code: 1 });
  expect(end.stdout).toMatch(/\/nope: it does not exist/);
});
