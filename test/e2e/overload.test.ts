import { rm } from 'node:fs/promises';

import { status } from '@grpc/grpc-js';

import { writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { callDapr } from '../support/grpc-call';
import { callHttp, postJson } from '../support/http-call';
import { parseMetrics } from '../support/prometheus-text';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

const BOUND = 3;

/** The bound for "at once", a stated allowance. Redis answers nothing for 3 s. */
const AT_ONCE_MS = 1000;

describe('a sidecar with as many lock calls under way as it takes', () => {
  let redis: RedisServer;
  let sidecar: SidecarProcess;
  let folder: string;
  let underWay: readonly Promise<unknown>[];

  const body = (resourceId: string) => ({ resourceId, lockOwner: 'o', expiryInSeconds: 60 });
  const lock = (resourceId: string) =>
    postJson(sidecar.httpPort, '/v1.0-alpha1/lock/lockstore', body(resourceId));
  const metrics = async () => {
    const { body: text } = await callHttp(sidecar.metricsPort, { method: 'GET', path: '/metrics' });
    return parseMetrics(text);
  };
  const timed = async <T>(call: Promise<T>): Promise<{ answer: T; tookMs: number }> => {
    const startedAt = performance.now();
    const answer = await call;
    return { answer, tookMs: performance.now() - startedAt };
  };

  beforeAll(async () => {
    redis = await startRedisServer();
    const metadata = { redisHost: `127.0.0.1:${redis.port}` };
    folder = await writeComponent({ type: 'lock.redis', metadata });
    const bound = ['--max-concurrent-lock-calls', String(BOUND)];
    sidecar = await SidecarProcess.start({ args: ['--resources-path', folder, ...bound] });
    await lock('warm');
    redis.pause();
    underWay = Array.from({ length: BOUND }, (_, index) => lock(`under-way-${index}`));
    await eventually(async () => {
      const inFlight = (await metrics()).filter(
        ({ name }) => name === 'dapr_lock_operations_in_flight',
      );
      expect(inFlight.reduce((sum, { value }) => sum + value, 0)).toBe(BOUND);
    });
  });
  afterAll(async () => {
    redis.resume();
    await sidecar.stop();
    await redis.stop();
    await rm(folder, { recursive: true });
  });

  it('refuses more at once over HTTP, with a hint to retry', async () => {
    const path = '/v1.0-alpha1/lock/lockstore';
    const { answer, tookMs } = await timed(
      callHttp(sidecar.httpPort, { path, body: JSON.stringify(body('more')) }),
    );
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(JSON.parse(answer.body)).toMatchObject({ errorCode: 'ERR_LOCK_OVERLOADED' });
    expect(tookMs).toBeLessThan(AT_ONCE_MS);
  });

  it('refuses more at once over gRPC, with a hint to retry', async () => {
    const message = { storeName: 'lockstore', ...body('more') };
    const { answer, tookMs } = await timed(
      callDapr(sidecar.grpcPort, { method: 'TryLockAlpha1', message }),
    );
    expect(answer).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining(
        `the limit of ${BOUND} concurrent lock calls is reached`,
      ) as unknown,
    });
    expect(answer.trailers).toContain('grpc-status-details-bin');
    expect(tookMs).toBeLessThan(AT_ONCE_MS);
  });

  it('answers health and metadata all the same', async () => {
    const answer = await callHttp(sidecar.httpPort, { method: 'GET', path: '/v1.0/healthz' });
    expect(answer.status).toBe(204);
  });

  it('counts what it refused, apart from errors', async () => {
    const operations = (await metrics()).filter(
      ({ name }) => name === 'dapr_lock_operations_total',
    );
    const counted = (outcome: string) =>
      operations
        .filter(({ labels, value }) => labels.outcome === outcome && value > 0)
        .map(({ labels, value }) => [labels.operation, value]);
    expect(counted('overloaded')).toEqual([['try_lock', 2]]);
    expect(counted('error')).toEqual([]);
  });

  it('takes calls again as soon as Redis answers, and has taken nothing for the refused', async () => {
    redis.resume();
    await expect(Promise.all(underWay)).resolves.toEqual(Array(BOUND).fill({ success: true }));
    const { answer, tookMs } = await timed(lock('more'));
    expect(answer).toEqual({ success: true });
    expect(tookMs).toBeLessThan(AT_ONCE_MS);
  });
});
