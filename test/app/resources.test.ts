import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { Resources } from '../../src/app/resources';
import { ComponentManager } from '../../src/components/component-manager';
import { StoreCatalog } from '../../src/lock/store-catalog';
import { ManifestFolders } from '../../src/manifests/manifest-folders';
import { Resiliency, silentResiliencyObserver } from '../../src/resiliency/resiliency';
import { createMemoryStore } from '../../src/stores/memory/memory-store';
import { createFolder, toComponentYaml } from '../support/component-files';
import { createFakeSidecar } from '../support/fake-sidecar';
import { RecordingLogger } from '../support/recording-logger';

const STORE = toComponentYaml({ type: 'lock.in-memory' });
const CONSEQUENCE =
  'No lock store is loaded, so every lock call fails with ERR_LOCK_STORE_NOT_CONFIGURED';

describe('what a sidecar makes of its resource folders', () => {
  let folder: string;
  let logger: RecordingLogger;
  let stores: StoreCatalog;
  let resources: Resources | undefined;
  beforeEach(async () => {
    folder = await createFolder();
    logger = new RecordingLogger();
    stores = new StoreCatalog();
  });
  afterEach(async () => {
    await resources?.close();
    await rm(folder, { recursive: true });
  });

  const start = async ({ paths = [folder], denied = '', namespace = '' } = {}) => {
    const components = new ComponentManager({
      appId: 'myapp',
      environment: {},
      createStore: () => createMemoryStore({ now: () => performance.now() }),
      isDenied: ({ type }) => type === denied,
      observe: () => undefined,
      stores,
      metadata: createFakeSidecar().metadata,
      logger,
    });
    resources = new Resources({
      source: new ManifestFolders(paths, logger),
      selection: { appId: 'myapp', namespace },
      components,
      resiliency: new Resiliency({ appId: 'myapp', logger, observer: silentResiliencyObserver }),
      stores,
      logger,
    });
    await resources.start();
    return resources;
  };
  const write = (name: string, text: string) => writeFile(path.join(folder, name), text);
  const warnings = () => logger.messages('warn').map((line) => line.replaceAll(folder, 'F'));

  describe('where no lock store stands', () => {
    it.each([
      ['nothing', {}, `${CONSEQUENCE}: there is no component in F`],
      [
        'a foreign scope',
        { 'a.yaml': `${STORE}scopes: [other]\n` },
        'Component lockstore (lock.in-memory/v1) in F/a.yaml is ignored: its scopes (other) do not contain the app id myapp',
      ],
      [
        'a foreign namespace',
        { 'a.yaml': STORE.replace('name: lockstore', 'name: lockstore\n  namespace: x') },
        'Component lockstore (lock.in-memory/v1) in F/a.yaml is ignored: its namespace is x, but NAMESPACE is prod',
      ],
      [
        'a kind with a slip',
        { 'a.yaml': STORE.replace('kind: Component', 'kind: Componnent') },
        'F/a.yaml:2:7 kind: "Componnent" is unknown, so the document is ignored; did you mean Component?',
      ],
      [
        'an API version with a slip',
        { 'a.yaml': STORE.replace('v1alpha1', 'v1alpah1') },
        'F/a.yaml:1:13 apiVersion: "dapr.io/v1alpah1" is not dapr.io/v1alpha1, so the document is ignored',
      ],
      [
        'a spec that stands too deep',
        { 'a.yaml': STORE.replaceAll(/^(spec:| {2}type| {2}version| {2}metadata: )/gm, '  $1') },
        expect.stringContaining('spec: is missing'),
      ],
      [
        'another extension',
        { 'a.yml.bak': STORE },
        'A non-YAML Component file a.yml.bak was detected, it will not be loaded',
      ],
      [
        'JSON',
        { 'a.json': '{}' },
        'A non-YAML Component file a.json was detected, it will not be loaded',
      ],
      [
        'only a secret store',
        { 'a.yaml': toComponentYaml({ name: 's', type: 'secretstores.local.env' }) },
        `${CONSEQUENCE}: none of the components for this app is a lock store that is ready: s (secretstores.local.env/v1)`,
      ],
      [
        'only another building block',
        { 'a.yaml': toComponentYaml({ name: 's', type: 'state.redis' }) },
        'Component s (state.redis/v1) belongs to a building block that is not served; ignored',
      ],
    ])('that is said, and why: %s', async (_name, files, sentence) => {
      for (const [name, text] of Object.entries(files)) await write(name, text);
      await start({ namespace: 'prod' });
      expect(warnings()).toContainEqual(sentence);
      expect(warnings()).toContainEqual(expect.stringContaining(CONSEQUENCE));
      expect(stores.names).toEqual([]);
    });

    it('as no folder is given', async () => {
      await start({ paths: [] });
      expect(warnings()).toEqual([`${CONSEQUENCE}: no --resources-path is given`]);
    });

    it('as the configuration denies it', async () => {
      await write('a.yaml', STORE);
      await start({ denied: 'lock.in-memory' });
      expect(warnings()).toContain(
        'Component lockstore (lock.in-memory/v1) is denied by the configuration (components.deny); ignored',
      );
      expect(warnings()).toContainEqual(expect.stringContaining(CONSEQUENCE));
    });

    it('as it stands in a subfolder', async () => {
      await mkdir(path.join(folder, 'sub'));
      await writeFile(path.join(folder, 'sub', 'a.yaml'), STORE);
      await start();
      expect(warnings()).toEqual([
        `${CONSEQUENCE}: there is no component in F; its subfolders are not read: sub`,
      ]);
    });

    it('any more, and again once there was one in between', async () => {
      await write('a.yaml', STORE);
      const reloaded = await start();
      expect(warnings()).toEqual([]);
      for (const text of ['# none\n', '# none\n', STORE, '# none\n']) {
        await write('a.yaml', text);
        await reloaded.reload();
      }
      expect(warnings()).toEqual([
        `${CONSEQUENCE}: there is no component in F`,
        `${CONSEQUENCE}: there is no component in F`,
      ]);
    });
  });

  it('says what has no effect in a file once, not at every reading', async () => {
    await write('a.yaml', STORE.replace('version: v1', 'verison: v1'));
    const reloaded = await start();
    await reloaded.reload();
    expect(warnings()).toEqual([
      'F/a.yaml:7:12 spec.verison is unknown and ignored; did you mean version?',
    ]);
  });

  it('serves what stands beside a broken document, and keeps what stood in it before', async () => {
    const [a, b] = ['a', 'b'].map((name) => toComponentYaml({ name, type: 'lock.in-memory' }));
    await write('all.yaml', `${a!}---\n${b!}`);
    const reloaded = await start();
    const kept = stores.find('b')?.store;
    await write(
      'all.yaml',
      `${a!}---\n${b!.replace('spec:', 'spec: [')}---\n${a!.replace('name: a', 'name: c')}`,
    );
    await expect(reloaded.reload()).resolves.toBe(false);
    expect(stores.names).toEqual(['a', 'b', 'c']);
    expect(stores.find('b')?.store).toBe(kept);
    expect(logger.messages('error').at(-1)).toMatch(/all\.yaml.*; still in use: b$/s);
    await write('all.yaml', a!);
    await expect(reloaded.reload()).resolves.toBe(true);
    expect(stores.names).toEqual(['a']);
  });
});
