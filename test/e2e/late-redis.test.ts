import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { createFolder, toComponentYaml } from '../support/component-files';
import { eventually } from '../support/eventually';
import { findFreePort } from '../support/free-port';
import { callHttp, postJson } from '../support/http-call';
import { RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

const LOCK = { resourceId: 'r', lockOwner: 'o', expiryInSeconds: 60 };

describe('a Redis that is late', () => {
  let port: number;
  let folder: string;
  let sidecar: SidecarProcess;
  let redis: RedisServer | undefined;
  beforeEach(async () => {
    port = await findFreePort();
    folder = await createFolder();
  });
  afterEach(async () => {
    await sidecar.stop('SIGKILL');
    await redis?.stop();
    redis = undefined;
    await rm(folder, { recursive: true });
  });

  const write = (spec: string, redisHost = `127.0.0.1:${port}`) =>
    writeFile(
      join(folder, 'lockstore.yaml'),
      toComponentYaml({ type: 'lock.redis', metadata: { redisHost }, spec }),
    );
  const spawn = async (spec: string, args: readonly string[] = []): Promise<void> => {
    await write(spec);
    sidecar = await SidecarProcess.spawn({ args: ['--resources-path', folder, ...args] });
  };
  const startRedis = async (): Promise<void> => {
    redis = new RedisServer({ port, folder: await createFolder(), args: [] });
    await redis.start();
  };
  const lock = () => postJson(sidecar.httpPort, '/v1.0-alpha1/lock/lockstore', LOCK);
  const get = (path: string) => callHttp(sidecar.httpPort, { method: 'GET', path });
  const countOf = (text: string) => sidecar.stdout.split(text).length - 1;

  it('is waited for, and the log says so once', async () => {
    await spawn('');
    await sidecar.waitForOutput(`Redis at 127.0.0.1:${port} can't be reached yet`);
    await startRedis();
    await sidecar.waitForOutput('dapr initialized.');
    await expect(lock()).resolves.toEqual({ success: true });
    expect(countOf("can't be reached yet")).toBe(1);
  });

  it('ends the start once initTimeout is over, and the reason is its own', async () => {
    await spawn('  initTimeout: 300ms\n');
    await expect(sidecar.exited).resolves.toBe(1);
    expect(sidecar.stdout).toContain(
      `error connecting to Redis: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
  });

  it('does not keep SIGTERM waiting', async () => {
    await spawn('  initTimeout: 1h\n');
    await sidecar.waitForOutput("can't be reached yet");
    await expect(sidecar.stop()).resolves.toBe(0);
    expect(sidecar.stdout).not.toContain('Graceful shutdown timeout exceeded');
    expect(sidecar.stdout).not.toContain('No lock store is loaded');
  });

  it('may come after the start with ignoreErrors', async () => {
    await spawn('  ignoreErrors: true\n  initTimeout: 200ms\n');
    await sidecar.waitForOutput('dapr initialized.');
    expect(sidecar.stdout).toContain('Ignoring error processing component');
    expect(sidecar.stdout).toContain('it will be loaded as soon as it is ready');
    expect(sidecar.stdout).toContain(
      'none of the components for this app is a lock store that is ready: lockstore (lock.redis/v1)',
    );
    await expect(get('/v1.0/healthz')).resolves.toMatchObject({ status: 204 });
    await expect(lock()).resolves.toMatchObject({ errorCode: 'ERR_LOCK_STORE_NOT_CONFIGURED' });
    await startRedis();
    await sidecar.waitForOutput('Component loaded: lockstore (lock.redis/v1)');
    await expect(lock()).resolves.toEqual({ success: true });
    const { body } = await get('/v1.0/metadata');
    expect(body).toContain('"name":"lockstore"');
    expect(countOf("can't be reached yet")).toBe(1);
    await expect(sidecar.stop()).resolves.toBe(0);
  });

  it('is given up when its file says another, and not loaded when it comes', async () => {
    const other = await startRedisServer();
    const spec = '  ignoreErrors: true\n  initTimeout: 200ms\n';
    await spawn(spec);
    await sidecar.waitForOutput('dapr initialized.');
    await write(spec, `127.0.0.1:${other.port}`);
    sidecar.child.kill('SIGHUP');
    await sidecar.waitForOutput('Component loaded: lockstore');
    await startRedis();
    await expect(lock()).resolves.toEqual({ success: true });
    await expect(other.inspect((client) => client.dbSize())).resolves.toBeGreaterThan(0);
    await expect(redis!.inspect((client) => client.dbSize())).resolves.toBe(0);
    await other.stop();
  });

  it('leaves the store before in use until it is there', async () => {
    redis = await startRedisServer();
    await write('', `127.0.0.1:${redis.port}`);
    sidecar = await SidecarProcess.start({ args: ['--resources-path', folder] });
    await write('  ignoreErrors: true\n  initTimeout: 200ms\n');
    sidecar.child.kill('SIGHUP');
    await sidecar.waitForOutput('The previous version of component lockstore stays in use');
    await expect(lock()).resolves.toEqual({ success: true });
    const late = new RedisServer({ port, folder: await createFolder(), args: [] });
    await late.start();
    await sidecar.waitForOutput('Component updated: lockstore');
    await eventually(async () => {
      await expect(lock()).resolves.toEqual({ success: true });
    });
    await late.stop();
  });
});
