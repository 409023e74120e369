import type { LockDriver } from '../driver';
import { findUnknownProperties } from './redis-properties';
import { findUnboundedTimeouts, parseRedisSettings, UNBOUNDED_TIMEOUT_MS } from './redis-settings';
import { createRedisStore } from './redis-store';

/**
 * `lock.redis`: one Redis, or several behind Sentinel, like daprd's component of this type; or a
 * Redis Cluster, which daprd refuses.
 */
export const redisDriver: LockDriver = {
  type: 'lock.redis',
  create({ componentName, properties, logger, observer, authorities }) {
    for (const { name, nearest } of findUnknownProperties(properties.names)) {
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      logger.warn(
        `Component ${componentName}: metadata property ${name} is unknown and ignored${hint}`,
      );
    }
    const settings = parseRedisSettings(properties, authorities);
    for (const name of findUnboundedTimeouts(properties)) {
      logger.warn(
        `Component ${componentName}: a negative ${name} means no timeout in daprd; Holdfast uses ${UNBOUNDED_TIMEOUT_MS / 1000} s`,
      );
    }
    if (settings.username !== '' && settings.password === '') {
      logger.warn(
        `Component ${componentName}: redisUsername is not used without redisPassword, as in daprd`,
      );
    }
    return createRedisStore({
      settings,
      logger,
      componentName,
      ...(observer === undefined ? {} : { observer }),
    });
  },
};
