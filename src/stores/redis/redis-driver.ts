import type { LockDriver } from '../driver';
import { findUnknownProperties } from './redis-properties';
import { parseRedisSettings } from './redis-settings';
import { createRedisStore } from './redis-store';

/** `lock.redis`: one Redis, as daprd's component of that type. */
export const redisDriver: LockDriver = {
  type: 'lock.redis',
  create({ componentName, properties, logger }) {
    for (const name of findUnknownProperties(properties.names)) {
      logger.warn(`Component ${componentName}: metadata property ${name} is unknown and ignored`);
    }
    return createRedisStore({ settings: parseRedisSettings(properties), logger });
  },
};
