import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { PropertySource } from '../../src/components/manifest';
import { MetadataProperties } from '../../src/components/metadata-properties';
import { resolveProperties } from '../../src/components/resolve-properties';
import type { Environment } from '../../src/components/secrets/environment-access';
import { createSecretStore } from '../../src/components/secrets/secret-stores';
import { createFolder } from '../support/component-files';
import { manifestOf } from '../support/component-manifest';

const source = (fields: Partial<PropertySource>): PropertySource => ({
  name: 'redisPassword',
  value: undefined,
  secret: undefined,
  env: undefined,
  ...fields,
});

describe('resolveProperties', () => {
  const resolve = (property: Partial<PropertySource>, environment: Environment = {}) =>
    resolveProperties(manifestOf({ properties: [source(property)], secretStore: 'envs' }), {
      secretStores: new Map([
        [
          'envs',
          createSecretStore('secretstores.local.env', new MetadataProperties([['prefix', 'P_']]), {
            environment,
          }),
        ],
      ]),
      environment,
      appId: 'myapp',
    });
  const valueOf = async (...call: Parameters<typeof resolve>) =>
    (await resolve(...call)).properties.get('redisPassword');

  describe('a secret of the environment', () => {
    const secret = { name: 'PW', key: 'PW' };

    it('is the variable with the prefix, and counts before a value', async () => {
      expect(await valueOf({ value: 'v', secret }, { P_PW: 'hidden' })).toBe('hidden');
    });

    it('that is not set fails, with component, key and store named', async () => {
      await expect(resolve({ secret })).rejects.toThrow(
        'metadata property redisPassword: secret "PW" (key "PW") can\'t be read from secret store "envs": the environment variable P_PW is not set',
      );
    });

    it('may be empty where it is set', async () => {
      expect(await valueOf({ secret }, { P_PW: '' })).toBe('');
    });

    it('has no key but its own name', async () => {
      await expect(resolve({ secret: { name: 'PW', key: 'k' } }, { P_PW: 'x' })).rejects.toThrow(
        'the secret has no key "k"',
      );
    });

    it.each(['DAPR_API_TOKEN', 'app_api_token'])('%s is never read', (variable) => {
      const store = createSecretStore('secretstores.local.env', new MetadataProperties([]), {
        environment: { [variable]: 'x' },
      });
      expect(() => store.get(variable)).toThrow(
        `the environment variable ${variable} may not be read`,
      );
    });

    it.each([
      ['"quoted"', 'quoted'],
      ['`raw`', 'raw'],
      ['"half', '"half'],
      ['"a\\tb"', 'a\tb'],
    ])('%s loses the quotes around it, as in daprd: %s', async (given, value) => {
      expect(await valueOf({ secret }, { P_PW: given })).toBe(value);
    });
  });

  describe('a secret store that can not be used', () => {
    const secret = { name: 's', key: 's' };
    const context = { secretStores: new Map(), environment: {}, appId: 'myapp' };

    it('as it is not loaded fails the component', async () => {
      await expect(
        resolveProperties(
          manifestOf({ properties: [source({ secret })], secretStore: 'vault' }),
          context,
        ),
      ).rejects.toThrow("Component lockstore references a secret store that isn't loaded: vault");
    });

    it('as none is named fails the component', async () => {
      await expect(
        resolveProperties(manifestOf({ properties: [source({ secret })] }), context),
      ).rejects.toThrow('name one as auth.secretStore of component lockstore');
    });
  });

  describe('a variable of the environment', () => {
    it('is read where there is no value', async () => {
      expect(await valueOf({ env: 'PW' }, { PW: 'x' })).toBe('x');
      expect(await valueOf({ env: 'PW', value: 'v' }, { PW: 'x' })).toBe('v');
    });

    it.each([
      ['APP_API_TOKEN', {}],
      ['Dapr_Secret', {}],
      ['A B', {}],
      ['OTHER', { DAPR_ENV_KEYS: 'PW USER' }],
    ])('%s that is not allowed fails the component', async (env, environment) => {
      await expect(resolve({ env }, { [env]: 'x', ...environment })).rejects.toThrow(
        `Component lockstore references an env variable that isn't allowed: ${env}`,
      );
    });

    it('is matched in upper case with the list of those allowed', async () => {
      expect(await valueOf({ env: 'pw' }, { pw: 'x', DAPR_ENV_KEYS: 'PW USER' })).toBe('x');
    });

    it('that is not set fails the component', async () => {
      await expect(resolve({ env: 'PW' })).rejects.toThrow("an env variable that isn't set: PW");
    });
  });

  describe('templates', () => {
    it('stand for the app, its pod and its namespace', async () => {
      const value = '{appID}/{namespace}/{podName}/{AppID}';
      expect(await valueOf({ value }, { NAMESPACE: 'ns', POD_NAME: 'pod' })).toBe(
        'myapp/ns.myapp/pod/{AppID}',
      );
      expect(await valueOf({ value: '{namespace}' })).toBe('default.myapp');
    });

    it('are filled in after secrets, each {uuid} anew', async () => {
      const value = (await valueOf({ env: 'V' }, { V: '{uuid} {uuid}' }))!;
      expect(value).toMatch(/^[\da-f-]{36} [\da-f-]{36}$/);
      expect(new Set(value.split(' ')).size).toBe(2);
    });

    it('of a pod without a name fail', async () => {
      await expect(resolve({ value: '{podName}' })).rejects.toThrow(
        'failed to parse metadata: property redisPassword refers to {podName} but podName is not set',
      );
    });

    it('do not make two resolutions differ', async () => {
      const [one, other] = [await resolve({ value: '{uuid}' }), await resolve({ value: '{uuid}' })];
      expect(one.fingerprint).toBe(other.fingerprint);
    });
  });

  it('names every problem at once', async () => {
    const properties = [source({ env: 'A' }), source({ name: 'b', env: 'B' })];
    await expect(
      resolveProperties(manifestOf({ properties }), {
        secretStores: new Map(),
        environment: {},
        appId: 'a',
      }),
    ).rejects.toThrow(/set: A; .*set: B$/);
  });
});

describe('secretstores.local.file', () => {
  const open = async (content: string, metadata: Readonly<Record<string, string>> = {}) => {
    const file = path.join(await createFolder(), 'secrets.json');
    await writeFile(file, content);
    const properties = new MetadataProperties(Object.entries({ secretsFile: file, ...metadata }));
    return createSecretStore('secretstores.local.file', properties, { environment: {} });
  };
  const NESTED = '{"redis":{"password":"p","hosts":["a","b"],"port":1,"tls":true},"plain":"x"}';

  it('joins nested names, and counts lists', async () => {
    const store = await open(NESTED);
    expect(store.get('redis:password')).toEqual(new Map([['redis:password', 'p']]));
    expect((await store.get('redis:hosts:1')).get('redis:hosts:1')).toBe('b');
    expect((await store.get('plain')).get('plain')).toBe('x');
  });

  it('takes numbers and booleans as they are written, where daprd mangles them', async () => {
    const store = await open(NESTED, { nestedSeparator: '.' });
    expect((await store.get('redis.port')).get('redis.port')).toBe('1');
    expect((await store.get('redis.tls')).get('redis.tls')).toBe('true');
  });

  it('keeps the keys of a secret together where it is multiValued', async () => {
    const store = await open(NESTED, { multiValued: 'true' });
    expect([...(await store.get('redis')).keys()]).toEqual([
      'password',
      'hosts:0',
      'hosts:1',
      'port',
      'tls',
    ]);
    expect(store.get('plain')).toEqual(new Map([['plain', 'x']]));
  });

  it('does not know what is not there', async () => {
    const store = await open(NESTED);
    expect(() => store.get('redis')).toThrow(/has no secret of that name$/);
  });

  it.each(['{"a": hush', '[]', '"hush"'])('refuses %s, and quotes nothing of it', async (text) => {
    await expect(open(text)).rejects.toThrow(/must hold a JSON object$/);
  });

  it('needs its file', async () => {
    await expect(open('{}', { secretsFile: '/nowhere/s.json' })).rejects.toThrow(
      /^secretsFile can't be read: \/nowhere\/s\.json: it does not exist, .* \(ENOENT\)$/,
    );
    await expect(open('{}', { secretsFile: '' })).rejects.toThrow(
      'missing local secrets file in metadata: secretsFile',
    );
  });
});
