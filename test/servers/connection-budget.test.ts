import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

import { readOpenFilesLimit, toConnectionLimit } from '../../src/servers/connection-budget';
import { writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { postJson } from '../support/http-call';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

const LOCK = { resourceId: 'r', lockOwner: 'o', expiryInSeconds: 60 };
const OPEN_FILES = 160;

describe('toConnectionLimit', () => {
  it.each([
    [40, 16],
    [160, 96],
    [256, 192],
    [1024, 896],
    [1_048_576, 1_048_448],
  ])('of %i open files is %i', (openFiles, limit) => {
    expect(toConnectionLimit(openFiles)).toBe(limit);
  });
});

describe('readOpenFilesLimit', () => {
  it('is undefined where the system does not tell', () => {
    expect(readOpenFilesLimit('/nowhere')).toBeUndefined();
  });
});

describe('a sidecar whose clients open more connections than it has descriptors', () => {
  let redis: RedisServer;
  let sidecar: SidecarProcess;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    redis = await startRedisServer();
    const metadata = { redisHost: `127.0.0.1:${redis.port}` };
    const folder = await writeComponent({ type: 'lock.redis', metadata });
    sidecar = await SidecarProcess.start({
      args: ['--resources-path', folder],
      openFiles: OPEN_FILES,
    });
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await sidecar.stop('SIGKILL');
    await redis.stop();
  });

  const open = (port: number): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, resolve);
      socket.on('error', resolve);
      sockets.push(socket);
    });
  const countOpen = () => readdirSync(`/proc/${sidecar.child.pid!}/fd`).length;

  it('keeps enough for Redis, and serves locks again when Redis is back', async () => {
    const ports = [sidecar.httpPort, sidecar.grpcPort, sidecar.metricsPort];
    await Promise.all(Array.from({ length: 300 }, (_, n) => open(ports[n % 3]!)));
    await sidecar.waitForOutput('96 client connections are open');
    expect(countOpen()).toBeLessThan(OPEN_FILES);
    await redis.kill();
    await sidecar.waitForOutput('Connection to Redis lost');
    await redis.start();
    await sidecar.waitForOutput('Redis is back');
    for (const socket of sockets.splice(0)) socket.destroy();
    await eventually(async () => {
      const answer = postJson(sidecar.httpPort, '/v1.0-alpha1/lock/lockstore', LOCK);
      await expect(answer).resolves.toEqual({ success: true });
    });
    expect(sidecar.stdout.split('client connections are open')).toHaveLength(2);
  });
});
