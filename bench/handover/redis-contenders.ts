import { Redis } from 'ioredis';
import { Mutex } from 'redis-semaphore';
import Redlock from 'redlock';

import { type Contender, type Locker, lockerContender } from './contender';

const TTL_MS = 60_000;

/** Longer than any wait of the benchmark, in milliseconds. */
const WAIT_MS = 600_000;

/** redis-semaphore's default, in milliseconds (`retryInterval`). */
const MUTEX_RETRY_MS = 10;

/** redlock's defaults, in milliseconds (`retryDelay` and `retryJitter`). */
const REDLOCK_RETRY = { delayMs: 200, jitterMs: 100 };

/** Lock libraries of Node on the same Redis, without a sidecar, with their own defaults for waiting. */
export function redisContenders(port: number, pids: readonly number[]): readonly Contender[] {
  const { delayMs, jitterMs } = REDLOCK_RETRY;
  return [
    lockerContender({
      name: 'redis-semaphore',
      waitsBy: `SET NX every ${MUTEX_RETRY_MS} ms`,
      pids,
      spreadMs: MUTEX_RETRY_MS,
      open: (lock) => mutexLocker(port, lock),
    }),
    lockerContender({
      name: 'redlock',
      waitsBy: `a script every ${delayMs} ± ${jitterMs} ms`,
      pids,
      spreadMs: delayMs + jitterMs,
      open: (lock) => redlockLocker(port, lock),
    }),
  ];
}

function mutexLocker(port: number, lock: string): Locker {
  const client = new Redis(port);
  const times = { lockTimeout: TTL_MS, acquireTimeout: WAIT_MS };
  const mutex = new Mutex(client, lock, times);
  return {
    acquire: () => mutex.acquire(),
    release: () => mutex.release(),
    close: () => client.quit(),
  };
}

function redlockLocker(port: number, lock: string): Locker {
  const client = new Redis(port);
  const redlock = new Redlock([client], { retryCount: -1 });
  let held: { unlock(): Promise<void> } | undefined;
  return {
    acquire: async () => {
      held = await redlock.lock(lock, TTL_MS);
    },
    release: async () => held?.unlock(),
    close: () => client.quit(),
  };
}
