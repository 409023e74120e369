import type { LockDriver } from '../driver';
import { findUnknownProperties } from './redis-properties';
import { parseRedisSettings } from './redis-settings';
import { createRedisStore } from './redis-store';

/** `lock.redis`: one Redis or those behind Sentinel, as daprd's component of that type. */
export const redisDriver: LockDriver = {
  type: 'lock.redis',
  create({ componentName, properties, logger, observer }) {
    for (const { name, nearest } of findUnknownProperties(properties.names)) {
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      logger.warn(
        `Component ${componentName}: metadata property ${name} is unknown and ignored${hint}`,
      );
    }
    return createRedisStore({
      settings: parseRedisSettings(properties),
      logger,
      ...(observer === undefined ? {} : { observer }),
    });
  },
};
