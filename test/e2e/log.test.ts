import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { createFolder, writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { callHttp } from '../support/http-call';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

const LOCK = '/v1.0-alpha1/lock/lockstore';
const CALL = { resourceId: 'the-resource', lockOwner: 'the-owner', expiryInSeconds: 60 };

describe('the log of a sidecar', () => {
  let sidecar: SidecarProcess;
  afterEach(async () => {
    await sidecar.stop('SIGKILL');
  });
  const start = async (...args: readonly string[]) => {
    sidecar = await SidecarProcess.start({ args: ['--resources-path', 'components', ...args] });
  };
  const lock = () => callHttp(sidecar.httpPort, { path: LOCK, body: JSON.stringify(CALL) });
  const count = (text: string): number => sidecar.stdout.split(text).length - 1;

  it('shows debug lines after SIGUSR1, and no more after another; no debugger opens', async () => {
    await start();
    await lock();
    expect(sidecar.stdout).not.toContain('the-owner');
    sidecar.child.kill('SIGUSR1');
    await sidecar.waitForOutput('Log level set to: debug');
    await lock();
    await sidecar.waitForOutput('owner=the-owner');
    sidecar.child.kill('SIGUSR1');
    await eventually(() => {
      expect(count('Log level set to: info')).toBe(2);
    });
    const before = count('owner=the-owner');
    await lock();
    expect(count('owner=the-owner')).toBe(before);
    expect(sidecar.strayErrors).toBe('');
  });

  it('is not ended by SIGUSR2', async () => {
    await start();
    sidecar.child.kill('SIGUSR2');
    await expect(lock()).resolves.toMatchObject({ status: 200 });
    await expect(sidecar.stop()).resolves.toBe(0);
  });

  it('keeps what nobody reads within a bound, says what was dropped, and ends when asked', async () => {
    await start('--enable-api-logging');
    sidecar.child.stdout!.pause();
    const headers = { 'user-agent': 'x'.repeat(3000) };
    for (let call = 0; call < 1000; call += 1) {
      await callHttp(sidecar.httpPort, { method: 'GET', path: '/v1.0/healthz', headers });
    }
    sidecar.child.stdout!.resume();
    await sidecar.waitForOutput('log lines were dropped');
    const [, dropped] = /msg="(\d+) log lines were dropped/.exec(sidecar.stdout)!;
    await eventually(() => {
      expect(count('HTTP API Called') + Number(dropped)).toBe(1000);
    });
    sidecar.child.stdout!.pause();
    sidecar.child.kill('SIGTERM');
    const ended = new Promise((resolve) => sidecar.child.once('exit', resolve));
    await expect(ended).resolves.toBe(0);
    sidecar.child.stdout!.resume();
  });

  it('holds nothing but lines of JSON, spans included', async () => {
    const config = path.join(await createFolder(), 'config.yaml');
    await writeFile(config, 'spec: {tracing: {samplingRate: "1", stdout: true}}');
    await start('--log-as-json', '--config', config);
    await lock();
    await sidecar.waitForOutput('Trace: ');
    await sidecar.stop();
    const lines = sidecar.stdout.trimEnd().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as { scope: string; msg: string });
    const span = entries.find(({ scope }) => scope === 'dapr.runtime.trace');
    expect(span?.msg).toMatch(
      /^\[\/v1\.0-alpha1\/lock\/lockstore\] Trace: [\da-f]{32} Span: 0{16}\/[\da-f]{16} Time: \[\S+ -> {2}\S+\] Annotations: \[\]$/,
    );
    expect(sidecar.strayErrors).toBe('');
  });
});

describe('a store that fails', () => {
  let redis: RedisServer;
  let folder: string;
  let sidecar: SidecarProcess;
  beforeEach(async () => {
    redis = await startRedisServer();
    await command('ACL', 'SETUSER', 'app', 'on', '>first-secret', '~*', '+@all');
    folder = await writeComponent({
      type: 'lock.redis',
      metadata: {
        redisHost: `127.0.0.1:${redis.port}`,
        redisUsername: 'app',
        redisPassword: 'first-secret',
      },
    });
    sidecar = await SidecarProcess.start({ args: ['--resources-path', folder] });
  });
  afterEach(async () => {
    await sidecar.stop('SIGKILL');
    await redis.stop();
    await rm(folder, { recursive: true });
  });
  const command = (...args: readonly string[]) =>
    redis.inspect((client) => client.sendCommand([...args]));
  const lock = () => callHttp(sidecar.httpPort, { path: LOCK, body: JSON.stringify(CALL) });
  const lines = (text: string) => sidecar.stdout.split('\n').filter((line) => line.includes(text));

  it('is told of at once, with the reason, and when it is over', async () => {
    await command('ACL', 'SETUSER', 'app', '-set');
    for (let call = 0; call < 20; call += 1) await lock();
    await sidecar.waitForOutput('Lock calls to lockstore fail: ');
    expect(lines('Lock calls to lockstore fail: ')).toEqual([
      expect.stringMatching(
        /level=warning msg="Lock calls to lockstore fail: the Redis user lacks a permission: /,
      ),
    ]);
    await command('ACL', 'SETUSER', 'app', '+set');
    await expect(lock()).resolves.toMatchObject({ status: 200 });
    await sidecar.waitForOutput('20 calls failed');
    expect(sidecar.stdout).not.toMatch(/the-owner|the-resource|first-secret/);
  });

  it('that refuses the password says so, not only that connections end', async () => {
    await command('ACL', 'SETUSER', 'app', 'resetpass', '>second-secret');
    await command('CLIENT', 'KILL', 'USER', 'app');
    await sidecar.waitForOutput("Redis can't be reached: ");
    expect(lines("Redis can't be reached: ")[0]).toMatch(/level=warning msg=.*WRONGPASS/);
    const { status, body } = await lock();
    expect([status, body]).toEqual([500, expect.stringContaining('WRONGPASS')]);
    await command('ACL', 'SETUSER', 'app', '>first-secret');
    await sidecar.waitForOutput('Redis is back after');
    expect(sidecar.stdout).not.toMatch(/-secret/);
  });
});
