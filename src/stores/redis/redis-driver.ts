import type { LockDriver } from '../driver';
import { parseRedisSettings } from './redis-settings';
import { createRedisStore } from './redis-store';

/** `lock.redis`: one Redis, as daprd's component of that type. */
export const redisDriver: LockDriver = {
  type: 'lock.redis',
  create: ({ properties, logger }) =>
    createRedisStore({ settings: parseRedisSettings(properties), logger }),
};
