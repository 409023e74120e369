import type { Logger } from '../../src/base/logger';
import {
  ComponentManager,
  type ComponentManagerOptions,
} from '../../src/components/component-manager';
import type { ComponentManifest } from '../../src/components/manifest';
import { StoreCatalog } from '../../src/lock/store-catalog';
import type { DriverContext } from '../../src/stores/driver';
import { redisDriver } from '../../src/stores/redis/redis-driver';
import { manifestOf, valueOf } from '../support/component-manifest';
import { createFakeStore } from '../support/fake-lock-store';
import { createFakeSidecar } from '../support/fake-sidecar';
import { RecordingLogger } from '../support/recording-logger';

describe('the components of a start', () => {
  let stores: StoreCatalog;
  let logger: RecordingLogger;
  let sidecar: ReturnType<typeof createFakeSidecar>;
  beforeEach(() => {
    stores = new StoreCatalog();
    logger = new RecordingLogger();
    sidecar = createFakeSidecar();
  });

  const init = (
    manifests: readonly ComponentManifest[],
    createStore: ComponentManagerOptions['createStore'] = () => createFakeStore(),
    environment: Readonly<Record<string, string>> = {},
  ) =>
    new ComponentManager({
      appId: 'myapp',
      environment,
      createStore,
      isDenied: ({ type }) => type === 'lock.denied',
      observe: () => undefined,
      stores,
      metadata: sidecar.metadata,
      logger,
    }).start({ manifests, broken: new Map() });
  const away = () => createFakeStore(() => Promise.reject(new Error('away')));

  describe('a lock component', () => {
    it('is published once it is ready', async () => {
      await init([manifestOf()]);
      expect(stores.names).toEqual(['lockstore']);
      expect(stores.find('lockstore')?.keyPrefix.text).toBe('lock||myapp||');
      expect(sidecar.metadata.view().components).toEqual([
        { name: 'lockstore', type: 'lock.redis', version: 'v1' },
      ]);
      expect(logger.messages('info')).toEqual(['Component loaded: lockstore (lock.redis/v1)']);
    });

    it('has the keys that its keyPrefix says', async () => {
      await init([manifestOf({ properties: [valueOf('KEYPREFIX', 'Name')] })]);
      expect(stores.find('lockstore')?.keyPrefix.text).toBe('lock||lockstore||');
    });
  });

  describe('a component that fails', () => {
    const INIT =
      '[INIT_COMPONENT_FAILURE]: initialization error occurred for lockstore (lock.redis/v1): ';
    const FATAL = 'failed to load components: process component lockstore error: ';

    it('by its init ends the start in the words of daprd', async () => {
      await expect(init([manifestOf()], away)).rejects.toThrow(`${FATAL}${INIT}away`);
      // Whoever ends the process says so, once.
      expect([...logger.messages('error'), ...logger.messages('warn')]).toEqual([]);
    });

    it('is closed and not published', async () => {
      const store = away();
      await init([manifestOf()], () => store).catch(() => undefined);
      expect(store.close).toHaveBeenCalled();
      expect(stores.isEmpty).toBe(true);
      expect(sidecar.metadata.view().components).toEqual([]);
    });

    it('with ignoreErrors is left out, and the next one is loaded', async () => {
      const made = [away(), createFakeStore()];
      const manifests = [manifestOf({ ignoreErrors: true }), manifestOf({ name: 'second' })];
      await init(manifests, () => made.shift());
      expect(stores.names).toEqual(['second']);
      expect(logger.messages('error')).toEqual([
        `Ignoring error processing component: process component lockstore error: ${INIT}away`,
      ]);
    });

    it('by an unknown lock type says so', async () => {
      const manifest = manifestOf({ type: 'lock.foo', version: '' });
      await expect(init([manifest], () => undefined)).rejects.toThrow(
        'failed to load components: process component lockstore error: [INIT_COMPONENT_FAILURE]: initialization error occurred for lockstore (lock.foo): [CREATE_COMPONENT_FAILURE]: initialization error occurred for lockstore (lock.foo): ' +
          "couldn't find lock store lock.foo",
      );
    });

    it('by an unknown version says so', async () => {
      const failed = init([manifestOf({ version: 'v2' })], () => undefined);
      await expect(failed).rejects.toThrow(/couldn't find lock store lock\.redis\/v2$/);
    });

    it('by an unknown category says so', async () => {
      await expect(init([manifestOf({ type: 'foo.bar' })])).rejects.toThrow(
        `${FATAL}incorrect type foo.bar`,
      );
    });

    it('by its metadata quotes what is wrong', async () => {
      const failed = init([manifestOf()], () => {
        throw new Error('metadata property redisHost is empty');
      });
      await expect(failed).rejects.toThrow(`${INIT}metadata property redisHost is empty`);
    });

    it('by its keyPrefix is never made', async () => {
      const createStore = jest.fn(() => createFakeStore());
      const properties = [valueOf('keyPrefix', 'a||b')];
      await expect(init([manifestOf({ properties })], createStore)).rejects.toThrow(
        `${INIT}failed to save lock keyprefix: input key/keyPrefix 'a||b' can't contain '||'`,
      );
      expect(createStore).not.toHaveBeenCalled();
    });

    it('by taking too long is given up, even where it does not look at its signal', async () => {
      const store = createFakeStore(() => new Promise(() => undefined));
      const failed = init([manifestOf({ initTimeoutMs: 50 })], () => store);
      await expect(failed).rejects.toThrow('init timeout for component lockstore (lock.redis/v1)');
    });

    it('by its own time-out is told by its signal', async () => {
      const store = createFakeStore(
        (signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              reject(new Error('no answer in time'));
            });
          }),
      );
      const failed = init([manifestOf({ initTimeoutMs: 50 })], () => store);
      await expect(failed).rejects.toThrow('no answer in time');
    });
  });

  describe('a component that is denied', () => {
    it('is named in a warning and ignored', async () => {
      await init([manifestOf({ type: 'lock.denied' }), manifestOf({ name: 'other' })]);
      expect(stores.names).toEqual(['other']);
      expect(logger.messages('warn')).toEqual([
        'Component lockstore (lock.denied/v1) is denied by the configuration (components.deny); ignored',
      ]);
    });
  });

  describe('a secret', () => {
    const secrets = manifestOf({ name: 'secrets', type: 'secretstores.local.env' });
    const store = manifestOf({
      secretStore: 'secrets',
      properties: [
        { name: 'redisHost', value: undefined, secret: { name: 'S', key: 'S' }, env: undefined },
      ],
    });

    it('is had from a store that stands behind in its file', async () => {
      await init([store, secrets], () => createFakeStore(), { S: 'hush' });
      expect(stores.names).toEqual(['lockstore']);
      expect(sidecar.metadata.view().components.map(({ name }) => name)).toEqual([
        'secrets',
        'lockstore',
      ]);
    });

    it('is not quoted, where a store quotes what it can not use', async () => {
      const fail = () => createFakeStore(() => Promise.reject(new Error('no such host: hush')));
      await expect(init([secrets, store], fail, { S: 'hush' })).rejects.toThrow(
        'no such host: <secret>',
      );
      expect(JSON.stringify(logger.lines)).not.toContain('hush');
    });

    describe.each([
      ['redisHost', '127.0.0.1:7391,h2:s3cr3tport', ['s3cr3tport', '7391', '127.0.0.1']],
      ['redisPort', 'pass', ['"pass"']],
      ['redisDB', 'pass-word-long', ['word', 'long']],
      ['redisDB', '{appID}-hush', ['hush', 'myapp-']],
      ['keyPrefix', 'Top||Secret', ['top', "secret'"]],
      ['readTimeout', 'secret', ['"secret"']],
      ['redisPort', '99999', ['99999']],
      ['redisDB', '1x', ['1x']],
      ['enableTLS', 'redis', ['"redis"']],
      ['redisHost', 'redis:1,h:0', ['h:0', '"redis']],
      ['keyPrefix', 'x||y', ['x||y']],
    ])('of the property %s that is no value for it: %s', (name, value, hidden) => {
      const short = { name: 'redisPassword', value: undefined, secret: undefined, env: 'SHORT' };
      const property = { name, value: undefined, secret: { name: 'S', key: 'S' }, env: undefined };
      const host = name === 'redisHost' ? [] : [valueOf('redisHost', 'somewhere')];
      const manifest = manifestOf({
        secretStore: 'secrets',
        properties: [short, property, ...host],
      });
      const createRedis = (
        _manifest: unknown,
        context: Pick<DriverContext, 'properties' | 'logger'>,
      ) => redisDriver.create({ componentName: 'lockstore', ...context });

      it('is not quoted, nor a part of it', async () => {
        const failed = init([secrets, manifest], createRedis, { S: value, SHORT: 'pass' });
        await expect(failed).rejects.toThrow('<secret>');
        const said = await failed.catch((error: unknown) => [
          ...logger.messages('error'),
          String(error),
        ]);
        const log = JSON.stringify(said).replaceAll('<secret>', '…');
        expect(log).toContain('lockstore (lock.redis/v1)');
        for (const part of hidden) expect(log).not.toContain(part);
      });
    });

    it.each([
      ['redisUsername', 'init', 'no permission for <secret>'],
      ['redisPassword', 'lockstore', 'no permission for init'],
      ['redisHost', 'error', 'no permission for init'],
    ])('in %s, which is %s, leaves what is said around it', async (name, value, cause) => {
      const fail = () => createFakeStore(() => Promise.reject(new Error('no permission for init')));
      const property = { name, value: undefined, secret: { name: 'S', key: 'S' }, env: undefined };
      const manifest = manifestOf({ secretStore: 'secrets', properties: [property] });
      const INIT =
        '[INIT_COMPONENT_FAILURE]: initialization error occurred for lockstore (lock.redis/v1): ';
      await expect(init([secrets, manifest], fail, { S: value })).rejects.toThrow(
        `process component lockstore error: ${INIT}${cause}`,
      );
    });

    it('hides no word that only looks like it', async () => {
      const fail = () => createFakeStore(() => Promise.reject(new Error('no Redis at redis:1')));
      await expect(init([secrets, store], fail, { S: 'redis:1' })).rejects.toThrow(
        'lockstore (lock.redis/v1): no Redis at <secret>',
      );
    });

    it('is not quoted in what a store says later', async () => {
      const createStore = (_manifest: unknown, context: { readonly logger: Logger }) =>
        createFakeStore(() => {
          context.logger.scoped('redis').warn('hush:1 is lost', { at: 'HUSH' });
          return Promise.resolve();
        });
      await init([secrets, store], createStore, { S: 'hush:1' });
      expect(logger.lines).toContainEqual(
        expect.objectContaining({ message: '<secret> is lost', fields: { at: '<secret>' } }),
      );
    });
  });

  describe('a component of another building block', () => {
    it.each(['state.redis', 'pubsub.redis', 'secretstores.hashicorp.vault', 'bindings.cron'])(
      '%s is named in a warning and ignored',
      async (type) => {
        const createStore = jest.fn(() => createFakeStore());
        await init([manifestOf({ type })], createStore);
        expect(createStore).not.toHaveBeenCalled();
        expect(logger.messages('warn')).toEqual([
          `Component lockstore (${type}/v1) belongs to a building block that is not served; ignored`,
        ]);
      },
    );
  });
});
