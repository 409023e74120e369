import type { LockDriver } from './driver';
import { memoryDriver } from './memory/memory-driver';
import { redisDriver } from './redis/redis-driver';

/** Every kind of lock store there is. */
const DRIVERS: readonly LockDriver[] = [redisDriver, memoryDriver];

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
  return DRIVERS.find((driver) => driver.type === wanted);
}
