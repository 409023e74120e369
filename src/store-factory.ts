import type { ComponentManifest } from './components/manifest';
import type { MetadataProperties } from './components/metadata-properties';
import type { LockStore } from './lock/lock-store';
import type { Logger } from './lock/logger';
import type { StoreObserver } from './lock/store-observer';
import { findDriver } from './stores/drivers';
import type { SystemAuthorities } from './trust/system-authorities';

/** What the stores of a sidecar have in common. */
export interface StoreFactoryOptions {
  /** Whom to trust over TLS. */
  readonly authorities: SystemAuthorities;
  /** Who is told how the way of a store to its server fares. */
  readonly observerOf: (store: string) => StoreObserver;
}

/** Makes the stores of components, and knows in which log the secrets of each are hidden. */
export class StoreFactory {
  readonly #options: StoreFactoryOptions;
  readonly #loggers = new Map<string, Logger>();

  constructor(options: StoreFactoryOptions) {
    this.#options = options;
  }

  /** A store for a component, undefined where nobody knows its type. */
  create(
    { name: componentName, type, version }: ComponentManifest,
    { properties, logger }: { readonly properties: MetadataProperties; readonly logger: Logger },
  ): LockStore | undefined {
    const { authorities, observerOf } = this.#options;
    const observer = observerOf(componentName);
    this.#loggers.set(componentName, logger.scoped('dapr.api'));
    const driver = findDriver(type, version);
    return driver?.create({ componentName, properties, logger, authorities, observer });
  }

  /** The log for what is said of calls to a store. */
  loggerOf(store: string): Logger | undefined {
    return this.#loggers.get(store);
  }
}
