import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

import { writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { callDapr } from '../support/grpc-call';
import { postJson } from '../support/http-call';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

/** As long as daprd 1.18.3 was measured with: longer than one send waits. */
const PAUSE_MS = 4500;

/** How long after Redis is back a withdrawn lock may stay: the stated allowance. */
const WITHDRAWN_WITHIN_MS = 1000;

describe('a sidecar whose Redis is paused for 4.5 s', () => {
  let redis: RedisServer;
  let sidecar: SidecarProcess;
  let folder: string;

  beforeEach(async () => {
    redis = await startRedisServer();
    const metadata = { redisHost: `127.0.0.1:${redis.port}` };
    folder = await writeComponent({ type: 'lock.redis', metadata });
    sidecar = await SidecarProcess.start({ args: ['--resources-path', folder] });
  });
  afterEach(async () => {
    redis.resume();
    await sidecar.stop();
    await redis.stop();
    await rm(folder, { recursive: true });
  });

  const body = { resourceId: 'r', lockOwner: 'o', expiryInSeconds: 60 };
  const lock = () => postJson(sidecar.httpPort, '/v1.0-alpha1/lock/lockstore', body);
  const unlock = () => postJson(sidecar.httpPort, '/v1.0-alpha1/unlock/lockstore', body);
  const overPause = async <T>(call: () => Promise<T>): Promise<T> => {
    redis.pause();
    const answer = call();
    await pause(PAUSE_MS);
    redis.resume();
    return answer;
  };

  it('answers TryLock with success, and the lock can be released', async () => {
    await expect(overPause(lock)).resolves.toEqual({ success: true });
    await expect(unlock()).resolves.toEqual({ status: 0 });
  });

  it('answers Unlock with the status that is true', async () => {
    await lock();
    await expect(overPause(unlock)).resolves.toEqual({ status: 0 });
    await expect(unlock()).resolves.toEqual({ status: 1 });
  });

  it('says nothing of its own dials on standard error, however many there are', async () => {
    redis.pause();
    lock().catch(() => undefined);
    // 3 s until the call's connection is given up, then a dial every 500 ms: Node warns of the eleventh.
    await pause(9500);
    redis.resume();
    await eventually(async () => {
      expect(sidecar.stdout).toContain('Redis is back');
    });
    expect(sidecar.strayErrors).toBe('');
  }, 20_000);

  it('leaves nothing of a caller whose own deadline passed meanwhile', async () => {
    const answer = await overPause(() =>
      callDapr(sidecar.grpcPort, {
        method: 'TryLockAlpha1',
        message: { storeName: 'lockstore', ...body, lockOwner: 'impatient' },
        deadlineMs: 500,
      }),
    );
    expect(answer).toMatchObject({ code: 4 });
    await eventually(
      async () => {
        expect(await redis.inspect((client) => client.get('lock||myapp||r'))).toBeNull();
      },
      { withinMs: WITHDRAWN_WITHIN_MS },
    );
  });
});
