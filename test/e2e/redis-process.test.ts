import { rm } from 'node:fs/promises';

import { writeComponent } from '../support/component-files';
import { callDapr } from '../support/grpc-call';
import { callHttp, postJson } from '../support/http-call';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

const LOCK = { resourceId: 'my_file_name', lockOwner: 'random_id_abc123', expiryInSeconds: 60 };

describe('a sidecar process on Redis', () => {
  let redis: RedisServer;
  let sidecar: SidecarProcess;
  let folder: string;
  const password = 'redis-secret';

  beforeAll(async () => {
    redis = await startRedisServer({ args: ['--requirepass', password] });
  });
  afterAll(() => redis.stop());
  afterEach(async () => {
    redis.resume();
    await sidecar.stop('SIGKILL');
    await rm(folder, { recursive: true });
  });

  const start = async (redisPassword = password, args: readonly string[] = []) => {
    const metadata = { redisHost: `127.0.0.1:${redis.port}`, redisPassword };
    folder = await writeComponent({ type: 'lock.redis', metadata });
    sidecar = await SidecarProcess.spawn({
      args: ['--resources-path', folder, '--log-level', 'debug', ...args],
    });
  };
  const lock = (resourceId: string) =>
    postJson(sidecar.httpPort, '/v1.0-alpha1/lock/lockstore', { ...LOCK, resourceId });

  it('keeps the lock where daprd keeps it', async () => {
    await start();
    await sidecar.waitForOutput('dapr initialized');
    await expect(lock('my_file_name')).resolves.toEqual({ success: true });
    const owner = await redis.inspect(
      (client) => client.get('lock||myapp||my_file_name'),
      password,
    );
    expect(owner).toBe('random_id_abc123');
    expect(sidecar.stdout).not.toContain(password);
  });

  it('ends with 1 on a wrong password and keeps it secret', async () => {
    await start('wrong-secret');
    await expect(sidecar.exited).resolves.toBe(1);
    expect(sidecar.stdout).toContain('error connecting to Redis: WRONGPASS');
    expect(sidecar.stdout).not.toContain('wrong-secret');
  });

  it('lets calls in flight finish when it is stopped, and loses none', async () => {
    await start();
    await sidecar.waitForOutput('dapr initialized');
    redis.pause();
    const message = { storeName: 'lockstore', ...LOCK };
    const calls = [
      ...Array.from({ length: 20 }, (_, index) => lock(`in-flight-${index}`)),
      ...Array.from({ length: 20 }, async (_, index) => {
        const call = { method: 'TryLockAlpha1', message: { ...message, resourceId: `g${index}` } };
        return (await callDapr(sidecar.grpcPort, call)).response;
      }),
    ];
    await arrived(sidecar);
    sidecar.child.kill('SIGTERM');
    await sidecar.waitForOutput('beginning shutdown');
    redis.resume();
    await expect(Promise.all(calls)).resolves.toEqual(Array(40).fill({ success: true }));
    await expect(sidecar.exited).resolves.toBe(0);
  });

  it('ends with 1 where calls do not finish within the grace period', async () => {
    await start(password, ['--dapr-graceful-shutdown-seconds', '1']);
    await sidecar.waitForOutput('dapr initialized');
    redis.pause();
    const call = lock('stuck').catch((error: unknown) => error);
    await arrived(sidecar);
    await expect(sidecar.stop()).resolves.toBe(1);
    expect(sidecar.stdout).toContain('Graceful shutdown timeout exceeded, forcing shutdown');
    await call;
  });

  it('ends at once with 1 on a second signal', async () => {
    await start();
    await sidecar.waitForOutput('dapr initialized');
    redis.pause();
    const call = lock('stuck-again').catch((error: unknown) => error);
    await arrived(sidecar);
    sidecar.child.kill('SIGTERM');
    await sidecar.waitForOutput('beginning shutdown');
    await expect(sidecar.stop('SIGTERM')).resolves.toBe(1);
    expect(sidecar.stdout).toContain('during shutdown; exiting immediately');
    await call;
  });

  it('says once that Redis went away and once that it is back, and stays healthy', async () => {
    await start();
    await sidecar.waitForOutput('dapr initialized');
    await redis.kill();
    await sidecar.waitForOutput('Connection to Redis lost');
    const answer = await lock('away');
    expect(answer).toMatchObject({
      errorCode: 'ERR_TRY_LOCK',
      message: expect.stringContaining("Redis can't be reached") as unknown,
    });
    const health = await callHttp(sidecar.httpPort, { method: 'GET', path: '/v1.0/healthz' });
    expect(health.status).toBe(204);
    await redis.start();
    await expect(lock('back')).resolves.toEqual({ success: true });
    expect(sidecar.stdout.split('Connection to Redis lost')).toHaveLength(2);
    expect(sidecar.stdout.split('Redis is back')).toHaveLength(2);
  });
});

/** Five round trips: by then the sidecar has read what was sent to it before them. */
async function arrived(sidecar: SidecarProcess): Promise<void> {
  for (let trip = 0; trip < 5; trip += 1) {
    await callHttp(sidecar.httpPort, { method: 'GET', path: '/v1.0/healthz' });
  }
}
