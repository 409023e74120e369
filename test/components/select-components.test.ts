import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { selectComponents } from '../../src/components/select-components';
import { ManifestFolders } from '../../src/manifests/manifest-folders';
import { createFolder, toComponentYaml } from '../support/component-files';
import { RecordingLogger } from '../support/recording-logger';

describe('selectComponents', () => {
  let folder: string;
  let logger: RecordingLogger;
  beforeEach(async () => {
    folder = await createFolder();
    logger = new RecordingLogger();
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (name: string, text: string) => writeFile(path.join(folder, name), text);
  const select = async (options: { namespace?: string; paths?: readonly string[] } = {}) => {
    const files = await new ManifestFolders(options.paths ?? [folder], logger).read();
    return selectComponents(files, { appId: 'myapp', namespace: options.namespace });
  };
  const load = async (options?: Parameters<typeof select>[0]) => {
    const { manifests, broken } = await select(options);
    for (const problem of broken.values()) logger.warn(problem);
    return manifests;
  };
  const names = async (options?: Parameters<typeof load>[0]) =>
    (await load(options)).map(({ name }) => name);
  const component = (text: string) =>
    `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: c\n${text}`;

  describe('the files of a folder', () => {
    it('are read in order of their names, .yaml and .yml in any case', async () => {
      await write('b.YML', toComponentYaml({ name: 'b', type: 'lock.redis' }));
      await write('a.yaml', toComponentYaml({ name: 'a', type: 'lock.redis' }));
      await expect(names()).resolves.toEqual(['a', 'b']);
    });

    it('that are no YAML are named in a warning', async () => {
      await write('notes.txt', 'x');
      await load();
      expect(logger.messages('warn')).toEqual([
        'A non-YAML Component file notes.txt was detected, it will not be loaded',
      ]);
    });

    it('in subfolders are not read', async () => {
      await mkdir(path.join(folder, 'redis.yaml'));
      await expect(load()).resolves.toEqual([]);
    });

    it('may hold several documents, comments after the separator included', async () => {
      const [a, b] = ['a', 'b'].map((name) => toComponentYaml({ name, type: 'lock.redis' }));
      await write('all.yaml', `---\n${a!}\n--- # the second\n${b!}\n---\n`);
      await expect(names()).resolves.toEqual(['a', 'b']);
    });

    it('may hold a document of more than 64 KiB', async () => {
      await write('a.yaml', `# ${'x'.repeat(100_000)}\n${toComponentYaml({ type: 'lock.redis' })}`);
      await expect(names()).resolves.toEqual(['lockstore']);
    });

    it('that can not be read are named in a warning', async () => {
      await symlink(path.join(folder, 'nowhere'), path.join(folder, 'a.yaml'));
      await expect(load()).resolves.toEqual([]);
      expect(logger.messages('warn')[0]).toMatch(
        /parsing manifests yaml resource in .*a\.yaml: it does not exist, or is a broken link .*\(ENOENT\)$/,
      );
    });
  });

  describe('a folder', () => {
    it('that is not there is an error that names it', async () => {
      await expect(load({ paths: ['/nowhere/at-all'] })).rejects.toThrow(
        /^failed to load components: .*\/nowhere\/at-all/,
      );
    });

    it('may be one of several', async () => {
      const other = await createFolder();
      await write('a.yaml', toComponentYaml({ name: 'a', type: 'lock.redis' }));
      await writeFile(
        path.join(other, 'b.yaml'),
        toComponentYaml({ name: 'b', type: 'lock.redis' }),
      );
      await expect(names({ paths: [other, folder] })).resolves.toEqual(['b', 'a']);
      await rm(other, { recursive: true });
    });
  });

  describe('documents', () => {
    it.each([
      ['another kind', 'apiVersion: dapr.io/v1alpha1\nkind: Configuration\nspec: 5\n'],
      ['another version', 'apiVersion: dapr.io/v2\nkind: Component\n'],
      ['a kind in other letters', 'apiVersion: dapr.io/v1alpha1\nkind: component\n'],
      ['a list', '- a\n'],
      ['nothing', ''],
    ])('of %s are passed over', async (_name, text) => {
      await write('a.yaml', text);
      await expect(load()).resolves.toEqual([]);
      expect(logger.lines).toEqual([]);
    });

    it('take member names in any case, and ignore unknown ones', async () => {
      await write(
        'a.yaml',
        'APIVERSION: dapr.io/v1alpha1\nKind: Component\nMetadata:\n  NAME: c\n  labels: {a: b}\nSPEC:\n  Type: lock.redis\n  IgnoreErrors: true\n  unknown: 1\n',
      );
      await expect(load()).resolves.toMatchObject([
        { name: 'c', type: 'lock.redis', version: '', ignoreErrors: true },
      ]);
    });

    it.each([
      ['1m', 60_000],
      ['soon', 5000],
      ['10000h', 2_147_482_648],
      ['-1s', 5000],
    ])('with initTimeout %s have %i ms', async (initTimeout, initTimeoutMs) => {
      await write(
        'a.yaml',
        component(`spec:\n  type: lock.redis\n  initTimeout: ${initTimeout}\n`),
      );
      await expect(load()).resolves.toMatchObject([{ initTimeoutMs }]);
    });

    it('of a name that is a number or a boolean are taken by its text', async () => {
      await write(
        'a.yaml',
        component('spec:\n  type: lock.redis\n').replace('name: c', 'name: 123'),
      );
      await write(
        'b.yaml',
        component('spec:\n  type: lock.redis\n').replace('name: c', 'name: yes'),
      );
      await expect(names()).resolves.toEqual(['123', 'true']);
    });
  });

  describe('who a component is for', () => {
    it.each([
      [undefined, ['ours', 'theirs']],
      ['', ['ours', 'theirs']],
      ['prod', ['ours']],
    ])('with namespace %j is %j', async (namespace, expected) => {
      const yaml = (name: string) => toComponentYaml({ name, type: 'lock.redis' });
      await write('a.yaml', yaml('ours'));
      await write(
        'b.yaml',
        yaml('theirs').replace('name: theirs', 'name: theirs\n  namespace: test'),
      );
      await expect(names(namespace === undefined ? {} : { namespace })).resolves.toEqual(expected);
    });

    it.each([
      ['[]', true],
      ['[myapp, other]', true],
      ['[other]', false],
    ])('by scopes %s: ours %s', async (scopes, ours) => {
      await write('a.yaml', `${toComponentYaml({ type: 'lock.redis' })}scopes: ${scopes}\n`);
      await expect(load()).resolves.toHaveLength(ours ? 1 : 0);
    });
  });

  describe('two components of one name', () => {
    it('are refused in the words of daprd, and both files are named', async () => {
      await write('a.yaml', toComponentYaml({ type: 'state.redis' }));
      await write('b.yaml', toComponentYaml({ type: 'lock.redis', version: '' }));
      await expect(load()).rejects.toThrow(
        /^failed to load components: duplicate definition of Component name lockstore \(lock\.redis\) with existing lockstore \(state\.redis\/v1\) \(in .*b\.yaml and .*a\.yaml\)$/,
      );
    });

    it('do not clash where one is not for us', async () => {
      await write('a.yaml', `${toComponentYaml({ type: 'state.redis' })}scopes: [other]\n`);
      await write('b.yaml', toComponentYaml({ type: 'lock.redis' }));
      await expect(names()).resolves.toEqual(['lockstore']);
    });
  });

  describe('a file with problems', () => {
    const problemsOf = async (text: string) => {
      await write('bad.yaml', text);
      await write('good.yaml', toComponentYaml({ name: 'good', type: 'lock.redis' }));
      await expect(names()).resolves.toEqual(['good']);
      const [warning = ''] = logger.messages('warn');
      expect(warning).toMatch(
        /^daprd load Component error when parsing manifests yaml resource in /,
      );
      return warning.replaceAll(`${folder}/`, '').split('bad.yaml: ')[1]!.split('\n');
    };

    it('is left out, and the problems are reported together with their places', async () => {
      const problems = await problemsOf(
        component(
          'spec:\n  version: v1\n  ignoreErrors: perhaps\n  metadata:\n  - value: x\n  - name: y\n    value: .inf\n',
        ).replace('name: c', 'name: a/b'),
      );
      expect(problems).toEqual([
        expect.stringMatching(/^bad\.yaml:4:9 metadata\.name: must be usable in a URL path/),
        'bad.yaml:6:3 spec.type: is missing',
        expect.stringMatching(/^bad\.yaml:7:17 spec\.ignoreErrors: must be true or false$/),
        expect.stringMatching(
          /^bad\.yaml:11:12 spec\.metadata\[1\]\.value: must be a finite number$/,
        ),
      ]);
    });

    it.each([
      [
        'metadata that is a map',
        component('spec:\n  type: lock.redis\n  metadata:\n    redisHost: x\n'),
        /^bad\.yaml:8:5 spec\.metadata: must be a list/,
      ],
      [
        'a spec that is a text',
        component('spec: lock.redis\n'),
        /^bad\.yaml:5:7 spec: must be a map$/,
      ],
      [
        'a name that is a list',
        component('spec:\n  type: lock.redis\n').replace('name: c', 'name: [c]'),
        /^bad\.yaml:4:9 metadata\.name: must be a string/,
      ],
      [
        'an empty type',
        component('spec:\n  type: ""\n'),
        /^bad\.yaml:6:9 spec\.type: must name a type/,
      ],
    ])('has %s', async (_name, text, expected) => {
      expect((await problemsOf(text))[0]).toMatch(expected);
    });

    it.each([
      ['an alias without its anchor', 'a: *nowhere\n'],
      [
        'aliases that multiply',
        `a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n`,
      ],
    ])('has %s', async (_name, text) => {
      expect((await problemsOf(text))[0]).toMatch(/^bad\.yaml:1:\d+ .*alias/i);
    });

    it('is no YAML: line and column of each fault are named', async () => {
      const problems = await problemsOf('a: [1\nb: "x\n');
      expect(problems.length).toBeGreaterThan(0);
      for (const problem of problems) expect(problem).toMatch(/^bad\.yaml:\d+:\d+ \S/);
    });
  });

  describe('references', () => {
    it('are kept as they are written, an empty key being the name of the secret', async () => {
      await write(
        'a.yaml',
        component(
          'spec:\n  type: lock.redis\n  metadata:\n  - {name: a, secretKeyRef: {name: s}}\n  - {name: b, envRef: C}\nauth: {secretStore: x}\n',
        ),
      );
      const [manifest] = await load();
      expect(manifest?.secretStore).toBe('x');
      expect(manifest?.properties).toEqual([
        { name: 'a', value: undefined, secret: { name: 's', key: 's' }, env: undefined },
        { name: 'b', value: undefined, secret: undefined, env: 'C' },
      ]);
    });
  });
});
