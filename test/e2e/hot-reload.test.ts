import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { createFolder, toComponentYaml, toSecretHostYaml } from '../support/component-files';
import { eventually } from '../support/eventually';
import { callHttp, lockOverHttp, postJson } from '../support/http-call';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

const NOT_CONFIGURED = {
  errorCode: 'ERR_LOCK_STORE_NOT_CONFIGURED',
  message: 'lock store is not configured',
};

describe('a sidecar whose files change', () => {
  let redis: RedisServer;
  let other: RedisServer;
  let sidecar: SidecarProcess;
  let folder: string;

  beforeAll(async () => {
    [redis, other] = await Promise.all([startRedisServer(), startRedisServer()]);
  });
  afterAll(() => Promise.all([redis.stop(), other.stop()]));
  beforeEach(async () => {
    folder = await createFolder();
  });
  afterEach(async () => {
    redis.resume();
    await sidecar.stop('SIGKILL');
    await rm(folder, { recursive: true });
  });

  const write = (text: string, name = 'lockstore.yaml') => writeFile(path.join(folder, name), text);
  const on = (server: RedisServer, metadata: Readonly<Record<string, string>> = {}) =>
    toComponentYaml({
      type: 'lock.redis',
      metadata: { redisHost: `127.0.0.1:${server.port}`, ...metadata },
    });
  const start = async (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) => {
    sidecar = await SidecarProcess.start({ args: ['--resources-path', folder, ...args], env });
  };
  const lock = (resourceId: string, storeName = 'lockstore') =>
    lockOverHttp(sidecar.httpPort, resourceId, storeName);
  const keysOf = (server: RedisServer) => server.inspect((client) => client.keys('*'));

  it('gets a store that is added, and loses one that is removed', async () => {
    await start();
    await expect(lock('a')).resolves.toEqual(NOT_CONFIGURED);
    await write(on(redis));
    await eventually(async () => {
      await expect(lock('added')).resolves.toEqual({ success: true });
    });
    await rm(path.join(folder, 'lockstore.yaml'));
    await eventually(async () => {
      await expect(lock('b')).resolves.toEqual(NOT_CONFIGURED);
    });
    // The lock that was taken is held on.
    await expect(keysOf(redis)).resolves.toContain('lock||myapp||added');
    const metadata = await callHttp(sidecar.httpPort, { method: 'GET', path: '/v1.0/metadata' });
    expect(JSON.parse(metadata.body)).not.toHaveProperty('components');
  });

  it('goes over to a changed store without failing a call', async () => {
    await write(on(redis));
    await start();
    const answers: unknown[] = [];
    let isOver = false;
    const callers = Array.from({ length: 8 }, async (_, caller) => {
      for (let number = 0; !isOver; number += 1) {
        answers.push(await lock(`${caller}-${number}`));
      }
    });
    await write(on(other));
    await sidecar.waitForOutput('Component updated: lockstore');
    await eventually(async () => {
      expect(await keysOf(other)).not.toHaveLength(0);
    });
    isOver = true;
    await Promise.all(callers);
    expect(answers.filter((answer) => JSON.stringify(answer) !== '{"success":true}')).toEqual([]);
  });

  it('closes a store only after its last call', async () => {
    await write(on(redis));
    await start();
    redis.pause();
    const answer = lock('slow');
    await eventually(async () => {
      const { body } = await callHttp(sidecar.metricsPort, { method: 'GET', path: '/' });
      expect(body).toContain(
        'dapr_lock_operations_in_flight{app_id="myapp",operation="try_lock",store="lockstore"} 1',
      );
    });
    await write(on(other));
    await sidecar.waitForOutput('Component updated: lockstore');
    redis.resume();
    await expect(answer).resolves.toEqual({ success: true });
    await expect(keysOf(redis)).resolves.toContain('lock||myapp||slow');
    await eventually(async () => {
      const clients = await redis.inspect((client) => client.clientList());
      expect(clients).toHaveLength(1);
    });
  });

  it.each([
    ['broken', 'apiVersion: dapr.io/v1alpha1\nkind: Component\nmeta', 'still in use: lockstore'],
    ['empty', '', 'the file is empty; still in use: lockstore'],
    [
      'cut off behind its API version',
      'apiVersion: dapr.io/v1alpha1\n',
      'a document is cut off: it lacks all or part of its apiVersion, kind or spec; still in use: lockstore',
    ],
    [
      'cut off in its kind',
      'apiVersion: dapr.io/v1alpha1\nkind: Comp',
      'a document is cut off: it lacks all or part of its apiVersion, kind or spec; still in use: lockstore',
    ],
    [
      'cut off',
      'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: lockstore\n',
      'still in use: lockstore',
    ],
    [
      'of a Redis that is not there',
      toComponentYaml({
        type: 'lock.redis',
        metadata: { redisHost: '127.0.0.1:1' },
        spec: '  initTimeout: 300ms\n',
      }),
      'The previous version of component lockstore stays in use',
    ],
    [
      'with a secret that is not there',
      `${toComponentYaml({ type: 'lock.redis' })}  - name: redisPassword\n    secretKeyRef: {name: PW}\nauth: {secretStore: none}\n`.replace(
        'metadata: []',
        'metadata:',
      ),
      "references a secret store that isn't loaded: none",
    ],
  ])('keeps its store where the file is %s, and says so', async (what, text, sentence) => {
    await write(on(redis));
    await start();
    await write(text);
    await sidecar.waitForOutput(sentence);
    await expect(lock(`kept ${what}`)).resolves.toEqual({ success: true });
    await write(on(other));
    await sidecar.waitForOutput('Component updated: lockstore');
  });

  describe('whose file may be half written', () => {
    const one = (keyPrefix: string) =>
      toComponentYaml({ name: 'one', type: 'lock.in-memory', metadata: { keyPrefix } });
    const two = toComponentYaml({ name: 'two', type: 'lock.in-memory' });
    const commented = two.replaceAll(/^/gm, '# ');

    it.each([
      ['ends with a stray ---', `${one('moved')}---\n`],
      ['has a component that is commented out', `${one('moved')}---\n${commented}`],
    ])('takes it as it stands where it %s and stays so, without a restart', async (what, text) => {
      await write(`${one('here')}---\n${two}`);
      await start();
      await write(text);
      await sidecar.waitForOutput('still in use: one, two');
      await expect(lock(what, 'two')).resolves.toEqual({ success: true });
      await sidecar.waitForOutput('Component removed: two');
      await sidecar.waitForOutput('Component updated: one');
      expect(sidecar.stdout).toContain(
        'lockstore.yaml has not changed for 3 s and is now used as it is',
      );
    });

    it('takes it as it stands at once when it is told to reload', async () => {
      await write(`${one('here')}---\n${two}`);
      await start();
      const writtenAt = performance.now();
      await write(commented);
      await sidecar.waitForOutput('the file is empty; still in use: one, two');
      sidecar.child.kill('SIGHUP');
      await sidecar.waitForOutput('msg=Reloaded');
      expect(sidecar.stdout).toContain('Component removed: one');
      expect(performance.now() - writtenAt).toBeLessThan(2500);
    });

    it('keeps its stores where it is written to its end within a second', async () => {
      await write(`${one('here')}---\n${two}`);
      await start();
      await write('');
      await sidecar.waitForOutput('the file is empty; still in use: one, two');
      await pause(1000);
      await write(`${one('here')}---\n`);
      await sidecar.waitForOutput('a document is cut off');
      await write(`${one('moved')}---\n${two}`);
      await sidecar.waitForOutput('Component updated: one');
      expect(sidecar.stdout).not.toContain('Component removed');
    });
  });

  it('keeps everything where two files name one component', async () => {
    await write(on(redis));
    await start();
    await write(on(other), 'second.yaml');
    await sidecar.waitForOutput('duplicate definition of Component name lockstore');
    await expect(lock('twice')).resolves.toEqual({ success: true });
  });

  it('changes the keys of a store in memory without forgetting its locks', async () => {
    const yaml = (keyPrefix: string) =>
      toComponentYaml({ type: 'lock.in-memory', metadata: { keyPrefix } });
    await write(yaml('one'));
    await start();
    await expect(lock('r')).resolves.toEqual({ success: true });
    await write(yaml('two'));
    await eventually(async () => {
      await expect(lock('r')).resolves.toEqual({ success: true });
    });
    await write(yaml('one'));
    await sidecar.waitForOutput('Component updated: lockstore');
    await expect(lock('r')).resolves.toEqual({ success: false });
  });

  it('follows a folder that is mounted from a ConfigMap', async () => {
    const versions = await createFolder();
    for (const [name, server] of Object.entries({ '..1': redis, '..2': other })) {
      await symlink(versions, path.join(folder, `${name}.tmp`)).catch(() => undefined);
      await rm(path.join(folder, `${name}.tmp`));
      const version = await createFolder();
      await writeFile(path.join(version, 'lockstore.yaml'), on(server));
      await symlink(version, path.join(folder, name));
    }
    await symlink('..1', path.join(folder, '..data'));
    await symlink('..data/lockstore.yaml', path.join(folder, 'lockstore.yaml'));
    await start();
    await expect(lock('mounted')).resolves.toEqual({ success: true });
    await symlink('..2', path.join(folder, '..data_tmp'));
    await rename(path.join(folder, '..data_tmp'), path.join(folder, '..data'));
    await sidecar.waitForOutput('Component updated: lockstore');
    await expect(lock('mounted')).resolves.toEqual({ success: true });
  });

  it('reads policies again', async () => {
    await write(toComponentYaml({ type: 'lock.in-memory' }));
    await start();
    await write('kind: Resiliency\nmetadata: {name: mine}\n', 'resiliency.yaml');
    await sidecar.waitForOutput('Loading Resiliency configuration: mine');
    const { body } = await callHttp(sidecar.httpPort, { method: 'GET', path: '/v1.0/metadata' });
    expect(body).toContain('"resiliencies":[{"name":"mine"}]');
  });

  it.each(['apiVersion: dapr.io/v1alpha1\n', 'kind: Resiliency\nmetadata: {name: mine}\n'])(
    'keeps its policies where their file is cut off: %j',
    async (text) => {
      await write('kind: Resiliency\nmetadata: {name: mine}\nspec: {}\n', 'resiliency.yaml');
      await start();
      await write(text, 'resiliency.yaml');
      await sidecar.waitForOutput(
        'a document is cut off: it lacks all or part of its apiVersion, kind or spec; its previous contents stay in use',
      );
      const { body } = await callHttp(sidecar.httpPort, { method: 'GET', path: '/v1.0/metadata' });
      expect(body).toContain('"resiliencies":[{"name":"mine"}]');
    },
  );

  it('shows the state of a breaker only as long as its component is there', async () => {
    await write(on(redis, { writeTimeout: '100ms' }));
    await write(
      'kind: Resiliency\nspec: {policies: {circuitBreakers: {DefaultCircuitBreakerPolicy: {trip: consecutiveFailures > 0}}}}\n',
      'resiliency.yaml',
    );
    await start();
    const states = async () => {
      const { body } = await callHttp(sidecar.metricsPort, { method: 'GET', path: '/' });
      return body.split('\n').filter((line) => line.startsWith('dapr_resiliency_cb_state{'));
    };
    redis.pause();
    await lock('slow');
    expect((await states()).join()).toMatch(/status="open"\} 1/);
    await rm(path.join(folder, 'lockstore.yaml'));
    await eventually(async () => {
      expect(await states()).toEqual([]);
    });
  });

  describe('where hot reload is turned off', () => {
    it('reads its files at SIGHUP alone, secrets and the configuration with them', async () => {
      const secrets = path.join(folder, 'secrets.json');
      const config = path.join(folder, 'config');
      await writeFile(secrets, `{"host":"127.0.0.1:${redis.port}"}`);
      await writeFile(config, 'spec: {features: [{name: HotReload, enabled: false}]}');
      await write(toSecretHostYaml(secrets));
      await start(['--config', config]);
      await writeFile(secrets, `{"host":"127.0.0.1:${other.port}"}`);
      await writeFile(config, 'spec: {api: {denied: [{name: unlock, version: v1alpha1}]}}');
      await write(
        toComponentYaml({ name: 'second', type: 'lock.in-memory' }),
        'a-second-store.yaml',
      );
      await expect(lock('r', 'second')).resolves.toMatchObject({
        errorCode: 'ERR_LOCK_STORE_NOT_FOUND',
      });
      sidecar.child.kill('SIGHUP');
      await sidecar.waitForOutput('msg=Reloaded');
      await expect(lock('hup')).resolves.toEqual({ success: true });
      await expect(keysOf(other)).resolves.toContain('lock||myapp||hup');
      await expect(lock('r', 'second')).resolves.toEqual({ success: true });
      await expect(
        postJson(sidecar.httpPort, '/v1.0-alpha1/unlock/lockstore', {}),
      ).resolves.toMatchObject({ errorCode: 'ERR_DIRECT_INVOKE' });
    });

    it('keeps its configuration where the new one is broken', async () => {
      const config = path.join(folder, 'config');
      await writeFile(config, 'spec: {}');
      await write(toComponentYaml({ type: 'lock.in-memory' }));
      await start(['--config', config]);
      await writeFile(config, 'spec: {tracing: {samplingRate: "9"}}');
      sidecar.child.kill('SIGHUP');
      await sidecar.waitForOutput('what was loaded before stays in use');
      await expect(lock('r')).resolves.toEqual({ success: true });
    });
  });
});
