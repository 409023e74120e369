import type { LockDriver } from './driver';
import type * as memory from './memory/memory-driver';
import type * as redis from './redis/redis-driver';

/**
 * Every kind of lock store there is, by its component type. Each is loaded where it is used: node-redis
 * alone is a fifth of a start.
 */
const DRIVERS: Readonly<Record<string, () => LockDriver>> = {
  /* eslint-disable @typescript-eslint/no-require-imports -- a driver is found, and loaded, at once */
  'lock.redis': () => (require('./redis/redis-driver') as typeof redis).redisDriver,
  'lock.in-memory': () => (require('./memory/memory-driver') as typeof memory).memoryDriver,
  /* eslint-enable @typescript-eslint/no-require-imports */
};

/** The first version of a component, in all the ways to write it. */
const FIRST_VERSIONS: readonly string[] = ['', 'v0', 'v1'];

/**
 * Finds the driver of a component type, undefined where there is none. As in daprd what follows
 * `lock.` is matched without regard to case, and so is the version.
 */
export function findDriver(type: string, version: string): LockDriver | undefined {
  if (!FIRST_VERSIONS.includes(version.toLowerCase())) return undefined;
  const [category, ...rest] = type.split('.');
  const wanted = [category, ...rest.map((part) => part.toLowerCase())].join('.');
  return Object.hasOwn(DRIVERS, wanted) ? DRIVERS[wanted]?.() : undefined;
}
