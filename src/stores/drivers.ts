import type { LockDriver } from './driver';
import type * as etcd from './etcd/etcd-driver';
import type * as memory from './memory/memory-driver';
import type * as postgresql from './postgresql/postgresql-driver';
import type * as redis from './redis/redis-driver';

/**
 * All kinds of lock stores, by component type. Each is loaded at its first use, because node-redis
 * alone takes a fifth of the start.
 */
const DRIVERS: Readonly<Record<string, () => LockDriver>> = {
  /* eslint-disable @typescript-eslint/no-require-imports -- findDriver is synchronous */
  'lock.redis': () => (require('./redis/redis-driver') as typeof redis).redisDriver,
  'lock.etcd': () => (require('./etcd/etcd-driver') as typeof etcd).etcdDriver,
  'lock.in-memory': () => (require('./memory/memory-driver') as typeof memory).memoryDriver,
  'lock.postgresql': () =>
    (require('./postgresql/postgresql-driver') as typeof postgresql).postgresqlDriver,
  /* eslint-enable @typescript-eslint/no-require-imports */
};

/** All spellings of a component's first version. */
const FIRST_VERSIONS: readonly string[] = ['', 'v0', 'v1'];

/**
 * Finds the driver of a component type. Undefined if there is none. As in daprd, the part after
 * `lock.` and the version are compared without regard to case.
 */
export function findDriver(type: string, version: string): LockDriver | undefined {
  if (!FIRST_VERSIONS.includes(version.toLowerCase())) return undefined;
  const [category, ...rest] = type.split('.');
  const wanted = [category, ...rest.map((part) => part.toLowerCase())].join('.');
  return Object.hasOwn(DRIVERS, wanted) ? DRIVERS[wanted]?.() : undefined;
}
