import type { LockDriver } from '../driver';
import { findUnknownProperties } from './etcd-properties';
import { parseEtcdSettings } from './etcd-settings';
import { createEtcdStore } from './etcd-store';

/** `lock.etcd`: a cluster of etcd, by its API of version 3. daprd has no such component. */
export const etcdDriver: LockDriver = {
  type: 'lock.etcd',
  create({ componentName, properties, logger, observer, authorities }) {
    for (const { name, nearest } of findUnknownProperties(properties.names)) {
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      logger.warn(
        `Component ${componentName}: metadata property ${name} is unknown and ignored${hint}`,
      );
    }
    return createEtcdStore({
      settings: parseEtcdSettings(properties, authorities),
      logger,
      componentName,
      ...(observer === undefined ? {} : { observer }),
    });
  },
};
