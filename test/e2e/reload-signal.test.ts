import { copyFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { createFolder, toComponentYaml, toSecretHostYaml } from '../support/component-files';
import { eventually } from '../support/eventually';
import { callHttp, lockOverHttp, postJson } from '../support/http-call';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

const TLS_FOLDER = path.join(__dirname, '../fixtures/tls');
const IN_PART = 'Reloaded in part: what could not be used stays unchanged';

describe('a sidecar that is told to reload', () => {
  let redis: RedisServer;
  let folder: string;
  let config: string;
  let sidecar: SidecarProcess;
  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    folder = await createFolder();
    config = path.join(folder, 'config');
    await writeFile(config, 'spec: {}');
  });
  afterEach(async () => {
    redis.resume();
    await sidecar.stop('SIGKILL');
    await rm(folder, { recursive: true });
  });

  const write = (text: string, name = 'lockstore.yaml') => writeFile(path.join(folder, name), text);
  const onRedis = toComponentYaml({
    type: 'lock.redis',
    metadata: { redisHost: '127.0.0.1:PORT', dialTimeout: '10s' },
    spec: '  initTimeout: 10s\n',
  });
  const toArgs = (...args: readonly string[]) => [
    ...['--resources-path', folder, '--config', config],
    ...args,
  ];
  const start = async (...args: readonly string[]) => {
    sidecar = await SidecarProcess.start({ args: toArgs(...args) });
  };
  const lock = (resourceId: string) => lockOverHttp(sidecar.httpPort, resourceId);
  const countOf = (text: string) => sidecar.stdout.split(text).length - 1;
  const hangUp = async (sentence: string) => {
    const before = countOf(sentence);
    sidecar.child.kill('SIGHUP');
    await eventually(() => {
      expect(countOf(sentence)).toBe(before + 1);
    });
  };

  it('while it starts does so once it has started, with every store made once', async () => {
    await write(onRedis.replace('PORT', String(redis.port)));
    redis.pause();
    sidecar = await SidecarProcess.spawn({ args: toArgs() });
    await sidecar.waitForOutput('metrics server started');
    sidecar.child.kill('SIGHUP');
    await sidecar.waitForOutput("Received signal 'hangup'");
    // Long enough for a reload that would not wait for the start.
    await pause(300);
    redis.resume();
    await sidecar.waitForOutput('msg=Reloaded');
    expect(countOf('Component loaded: lockstore')).toBe(1);
    expect(sidecar.stdout).not.toContain('Component updated');
    const clients = await redis.inspect((client) => client.clientList());
    // One of the sidecar, one that asks.
    expect(clients).toHaveLength(2);
  });

  it('takes on nothing of a configuration beside a certificate that can not be used', async () => {
    const [cert, key] = [path.join(folder, 'tls.crt'), path.join(folder, 'tls.key')];
    await copyFile(path.join(TLS_FOLDER, 'server.crt'), cert);
    await copyFile(path.join(TLS_FOLDER, 'server.key'), key);
    await write(toComponentYaml({ type: 'lock.in-memory' }));
    await start('--tls-cert-file', cert, '--tls-key-file', key);
    await writeFile(config, 'spec: {components: {deny: [lock.in-memory]}}');
    await copyFile(path.join(TLS_FOLDER, 'renewed.key'), key);
    for (let time = 0; time < 2; time += 1) await hangUp(IN_PART);
    expect(countOf('what was loaded before stays in use')).toBe(2);
    expect(sidecar.stdout).not.toContain('Component removed');
    await copyFile(path.join(TLS_FOLDER, 'server.key'), key);
    await hangUp('msg=Reloaded');
    expect(sidecar.stdout).toContain('Component removed: lockstore');
  });

  it('says that it did so in part where a component can not be used', async () => {
    await write(toComponentYaml({ type: 'lock.in-memory' }));
    await start();
    const metadata = { redisHost: '127.0.0.1:1' };
    const spec = '  initTimeout: 200ms\n';
    await write(toComponentYaml({ type: 'lock.redis', metadata, spec }));
    await hangUp(IN_PART);
    expect(countOf('msg=Reloaded')).toBe(0);
    await write(toComponentYaml({ type: 'lock.in-memory' }));
    await hangUp('msg=Reloaded');
  });

  it('does not serve any longer what its configuration denies now', async () => {
    await write(toComponentYaml({ type: 'lock.in-memory' }));
    await start();
    await expect(lock('r')).resolves.toEqual({ success: true });
    await writeFile(config, 'spec: {components: {deny: [lock.in-memory]}}');
    await hangUp('msg=Reloaded');
    await expect(lock('s')).resolves.toMatchObject({ errorCode: 'ERR_LOCK_STORE_NOT_CONFIGURED' });
  });

  it('watches its folders, or no longer, as the configuration says now', async () => {
    await writeFile(config, 'spec: {features: [{name: HotReload, enabled: false}]}');
    await write(toComponentYaml({ type: 'lock.in-memory' }));
    await start('--hot-reload-reconcile-interval', '100ms');
    await writeFile(config, 'spec: {}');
    await hangUp('msg=Reloaded');
    expect(countOf('Watching directories')).toBe(1);
    await write(toComponentYaml({ type: 'lock.in-memory', name: 'second' }), 'second.yaml');
    await sidecar.waitForOutput('Component loaded: second');
    await writeFile(config, 'spec: {features: [{name: HotReload, enabled: false}]}');
    await hangUp('msg=Reloaded');
    await write(toComponentYaml({ type: 'lock.in-memory', name: 'third' }), 'third.yaml');
    // Long enough for a notice, its quiet time and the interval.
    await pause(500);
    expect(sidecar.stdout).not.toContain('Component loaded: third');
  });

  it('ends at once where it is told to stop meanwhile, and takes no more calls', async () => {
    await write(onRedis.replace('PORT', String(redis.port)));
    await start();
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const connected = new Promise<Socket>((resolve) => silent.once('connection', resolve));
    await write(onRedis.replace('PORT', String((silent.address() as AddressInfo).port)));
    const socket = await connected;
    const startedAt = performance.now();
    sidecar.child.kill('SIGTERM');
    await eventually(async () => {
      await expect(callHttp(sidecar.httpPort, { path: '/v1.0/healthz' })).rejects.toThrow();
    });
    await expect(sidecar.exited).resolves.toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(4000);
    expect(sidecar.stdout).not.toContain('level=error');
    socket.destroy();
    silent.close();
  });
});

describe('a secret that changes outside the folders', () => {
  it('is noticed at the interval', async () => {
    const [redis, other] = await Promise.all([startRedisServer(), startRedisServer()]);
    const [folder, outside] = [await createFolder(), await createFolder()];
    const secrets = path.join(outside, 'secrets.json');
    await writeFile(secrets, `{"host":"127.0.0.1:${redis.port}"}`);
    await writeFile(path.join(folder, 'lockstore.yaml'), toSecretHostYaml(secrets));
    const sidecar = await SidecarProcess.start({
      args: ['--resources-path', folder, '--hot-reload-reconcile-interval', '200ms'],
    });
    try {
      await writeFile(secrets, `{"host":"127.0.0.1:${other.port}"}`);
      await sidecar.waitForOutput('Component updated: lockstore');
      await postJson(sidecar.httpPort, '/v1.0-alpha1/lock/lockstore', {
        resourceId: 'r',
        lockOwner: 'o',
        expiryInSeconds: 60,
      });
      const keys = await other.inspect((client) => client.keys('*'));
      expect(keys).toContain('lock||myapp||r');
    } finally {
      await sidecar.stop('SIGKILL');
      await Promise.all([redis.stop(), other.stop()]);
      await Promise.all([folder, outside].map((name) => rm(name, { recursive: true })));
    }
  });
});
