import { setTimeout as pause } from 'node:timers/promises';

import { ComponentManager } from '../../src/components/component-manager';
import type { ComponentManifest } from '../../src/components/manifest';
import type { ComponentSelection } from '../../src/components/select-components';
import { createLockService } from '../../src/lock/lock-service';
import { type LockStore, StoreError } from '../../src/lock/lock-store';
import { StoreCatalog } from '../../src/lock/store-catalog';
import { parseFile } from '../../src/manifests/manifest-file';
import { Resiliency } from '../../src/resiliency/resiliency';
import { manifestOf, valueOf } from '../support/component-manifest';
import { eventually } from '../support/eventually';
import { createFakeStore } from '../support/fake-lock-store';
import { createFakeSidecar } from '../support/fake-sidecar';
import { RecordingLogger } from '../support/recording-logger';

describe('components whose files are read again', () => {
  let stores: StoreCatalog;
  let logger: RecordingLogger;
  let manager: ComponentManager;
  let denied: string | undefined;
  let observe: jest.Mock;
  let made: ReturnType<typeof createFakeStore>[];
  let init: LockStore['init'];
  beforeEach(() => {
    stores = new StoreCatalog();
    logger = new RecordingLogger();
    denied = undefined;
    observe = jest.fn();
    made = [];
    init = () => Promise.resolve();
    manager = new ComponentManager({
      appId: 'myapp',
      environment: { S: 'hush' },
      createStore: () => {
        const store = createFakeStore((signal) => init(signal));
        made.push(store);
        return store;
      },
      isDenied: ({ type }) => type === denied,
      observe,
      stores,
      metadata: createFakeSidecar().metadata,
      logger,
    });
  });

  const selectionOf = (
    manifests: readonly ComponentManifest[],
    broken: Readonly<Record<string, string>> = {},
  ): ComponentSelection => ({ manifests, broken: new Map(Object.entries(broken)) });
  const start = (...manifests: readonly ComponentManifest[]) =>
    manager.start(selectionOf(manifests));
  const reload = (...selection: Parameters<typeof selectionOf>) =>
    manager.reload(selectionOf(...selection));

  it('stop serving a store that is denied from now on', async () => {
    await start(manifestOf());
    denied = 'lock.redis';
    await expect(reload([manifestOf()])).resolves.toBe(true);
    expect(stores.isEmpty).toBe(true);
    expect(made[0]?.close).toHaveBeenCalled();
  });

  it('stop serving a store that is denied though its file is broken', async () => {
    await start(manifestOf());
    denied = 'lock.redis';
    await reload([], { 'f.yaml': 'broken' });
    expect(stores.isEmpty).toBe(true);
  });

  it('stop serving a store whose component is of another building block now', async () => {
    await start(manifestOf());
    await reload([manifestOf({ type: 'state.redis' })]);
    expect(stores.isEmpty).toBe(true);
    expect(made[0]?.close).toHaveBeenCalled();
  });

  it('say what is not served once, until it was served in between', async () => {
    denied = 'lock.redis';
    await start(manifestOf());
    await reload([manifestOf()]);
    expect(logger.messages('warn')).toHaveLength(1);
    denied = undefined;
    await reload([manifestOf()]);
    denied = 'lock.redis';
    await reload([manifestOf()]);
    expect(logger.messages('warn')).toHaveLength(2);
  });

  it('say what is wrong with a file once, at the start or later', async () => {
    await manager.start(selectionOf([manifestOf()], { 'other.yaml': 'broken' }));
    await reload([manifestOf()], { 'other.yaml': 'broken' });
    await reload([manifestOf()], { 'other.yaml': 'broken' });
    expect([...logger.messages('warn'), ...logger.messages('error')]).toEqual(['broken']);
  });

  it('say whether all of it could be used', async () => {
    await start(manifestOf());
    await expect(reload([manifestOf()])).resolves.toBe(true);
    await expect(reload([], { 'f.yaml': 'broken' })).resolves.toBe(false);
    init = () => Promise.reject(new Error('away'));
    const changed = manifestOf({ properties: [valueOf('redisHost', 'other')] });
    await expect(reload([changed])).resolves.toBe(false);
    expect(stores.names).toEqual(['lockstore']);
  });

  describe('with a secret store whose file is broken now', () => {
    const secrets = manifestOf({
      name: 'secrets',
      type: 'secretstores.local.env',
      file: 'secrets.yaml',
    });
    const store = manifestOf({
      secretStore: 'secrets',
      properties: [
        { name: 'redisHost', value: undefined, secret: { name: 'S', key: 'S' }, env: undefined },
      ],
    });

    it('go on with the secret store that is in use', async () => {
      await start(secrets, store);
      for (let reading = 0; reading < 2; reading += 1) {
        await reload([store], { 'secrets.yaml': 'broken' });
      }
      expect(logger.messages('error')).toEqual(['broken; still in use: secrets']);
      expect(observe).toHaveBeenCalledTimes(2);
      expect(made).toHaveLength(1);
    });

    it('go on without one that was removed', async () => {
      await start(secrets, store);
      await reload([store]);
      expect(logger.messages('error').join()).toContain(
        "a secret store that isn't loaded: secrets",
      );
    });
  });

  describe('while a call uses the old store', () => {
    it('close that store only after the last try of the call', async () => {
      const resiliency = new Resiliency({
        appId: 'myapp',
        logger,
        observer: {
          loaded: () => undefined,
          executed: () => undefined,
          activated: () => undefined,
          breakerState: () => undefined,
          breakerRemoved: () => undefined,
        },
      });
      const policy =
        'kind: Resiliency\nspec: {policies: {retries: {DefaultRetryPolicy: {duration: 150ms, maxRetries: 1}}}}';
      resiliency.load([
        { file: 'r', text: policy, documents: parseFile('r', policy), problem: undefined },
      ]);
      const policyOf = (name: string) => resiliency.policyOf(name);
      const locks = createLockService({ stores, policyOf, observers: [] });
      await start(manifestOf());
      const [old] = made;
      old!.tryLock.mockRejectedValueOnce(
        new StoreError('away', { kind: 'unavailable', outcome: 'not-applied' }),
      );
      const call = locks.tryLock(
        { storeName: 'lockstore', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 9 },
        { signal: new AbortController().signal },
      );
      await reload([manifestOf({ properties: [valueOf('redisHost', 'other')] })]);
      expect(stores.find('lockstore')?.store).toBe(made[1]);
      await pause(50);
      expect(old!.tryLock).toHaveBeenCalledTimes(1);
      expect(old!.close).not.toHaveBeenCalled();
      await expect(call).resolves.toEqual({ success: true });
      expect(old!.tryLock).toHaveBeenCalledTimes(2);
      await eventually(() => {
        expect(old!.close).toHaveBeenCalledTimes(1);
      });
    });
  });

  describe('while a store is being initialised', () => {
    it('end that at once when loading is stopped, and call it no failure', async () => {
      await start(manifestOf());
      init = (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('cut short'));
          });
        });
      const changed = { properties: [valueOf('redisHost', 'silent')], initTimeoutMs: 60_000 };
      const reloading = reload([manifestOf(changed)]);
      await eventually(() => {
        expect(made[1]?.init).toHaveBeenCalled();
      });
      manager.stopLoading();
      await expect(reloading).resolves.toBe(false);
      expect(logger.messages('error')).toEqual([]);
      expect(made[1]?.close).toHaveBeenCalled();
      expect(stores.find('lockstore')?.store).toBe(made[0]);
    });
  });
});
