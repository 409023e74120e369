import { findNearest } from '../../base/nearest-name';
import type { LockDriver } from '../driver';
import { POSTGRESQL_PROPERTIES } from './postgresql-properties';
import { parsePostgresqlSettings } from './postgresql-settings';
import { createPostgresqlStore } from './postgresql-store';

/** `lock.postgresql`: a PostgreSQL, or several of which one accepts writes. */
export const postgresqlDriver: LockDriver = {
  type: 'lock.postgresql',
  create({ componentName, properties, logger, observer, authorities }) {
    const known = POSTGRESQL_PROPERTIES.map((name) => name.toLowerCase());
    for (const name of properties.names) {
      if (known.includes(name.toLowerCase())) continue;
      const nearest = findNearest(name, POSTGRESQL_PROPERTIES);
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      logger.warn(
        `Component ${componentName}: metadata property ${name} is unknown and ignored${hint}`,
      );
    }
    const settings = parsePostgresqlSettings(properties, authorities);
    return createPostgresqlStore({ settings, logger, componentName, observer });
  },
};
