import { randomUUID } from 'node:crypto';

import { createAttempt } from '../../src/lock/attempt';
import type { LockStore } from '../../src/lock/lock-store';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { TcpProxy } from '../support/tcp-proxy';
import { QUICK_SEND_MS } from '../stores/redis/redis-fixture';
import { startInProcess } from './in-process-sidecar';
import { NATIVE_PROBES, type NativeScene } from './native-probes';
import { PROBES, type Scene } from './probes';
import { Recorder } from './recorder';

/** A probe that can be run on any store. */
export interface ProbeRun {
  readonly name: string;
  /** Resolves with what should not have been; undefined where nothing was. */
  readonly run: (createStore: (port: number) => LockStore) => Promise<string | undefined>;
}

/** Every probe, those of the native API last. */
export const PROBE_RUNS: readonly ProbeRun[] = [
  ...Object.entries(PROBES).map(([name, probe]) => ({
    name,
    run: (createStore: (port: number) => LockStore) => runOnStore(probe, createStore),
  })),
  ...Object.entries(NATIVE_PROBES).map(([name, probe]) => ({
    name,
    run: (createStore: (port: number) => LockStore) => runNative(probe, createStore),
  })),
];

async function onRedis(run: (redis: RedisServer) => Promise<void>): Promise<string | undefined> {
  const redis = await startRedisServer();
  try {
    await run(redis);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    redis.resume();
    await redis.stop();
  }
}

function runOnStore(
  probe: (scene: Scene) => Promise<void>,
  createStore: (port: number) => LockStore,
): Promise<string | undefined> {
  return onRedis(async (redis) => {
    const proxy = await TcpProxy.start(redis.port);
    const store = createStore(proxy.port);
    try {
      await store.init(new AbortController().signal);
      const known = { key: 'lock||known', owner: 'a', ttlMs: 60_000, attempt: createAttempt() };
      await store.tryLock(known, new AbortController().signal);
      await store.unlock({ ...known, attempt: createAttempt() }, new AbortController().signal);
      await probe({ redis, proxy, store, key: `lock||myapp||${randomUUID()}` });
    } finally {
      redis.resume();
      proxy.heal();
      await store.close();
      await proxy.stop();
    }
  });
}

function runNative(
  probe: (scene: NativeScene) => Promise<void>,
  createStore: (port: number) => LockStore,
): Promise<string | undefined> {
  return onRedis(async (redis) => {
    const near = await startInProcess(redis.port, createStore, QUICK_SEND_MS);
    const far = await startInProcess(redis.port, createStore, QUICK_SEND_MS);
    const resourceId = randomUUID();
    const recorder = new Recorder([near, far]);
    try {
      await probe({ redis, near, far, recorder, resourceId, key: `lock||myapp||${resourceId}` });
    } finally {
      near.proxy.heal();
      await near.stop();
      await far.stop();
    }
  });
}
