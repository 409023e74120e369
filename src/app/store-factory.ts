import type { Logger } from '../base/logger';
import type { ComponentManifest } from '../components/manifest';
import type { MetadataProperties } from '../components/metadata-properties';
import { createRedactedLogger, type Redact } from '../components/redaction';
import type { LockStore } from '../lock/lock-store';
import type { StoreObserver } from '../lock/store-observer';
import { findDriver } from '../stores/drivers';
import type { SystemAuthorities } from '../trust/system-authorities';

/** What the stores of a sidecar have in common. */
export interface StoreFactoryOptions {
  /** Whom to trust over TLS. */
  readonly authorities: SystemAuthorities;
  /** Who is told how the way of a store to its server fares. */
  readonly observerOf: (store: string) => StoreObserver;
  /** The log for what is said of calls. */
  readonly logger: Logger;
}

/** What a component's store is made of. */
interface StoreParts {
  readonly properties: MetadataProperties;
  /** Free of the component's secrets. */
  readonly logger: Logger;
  readonly redact: Redact;
}

/** The secrets of one store, open or closed. */
interface Secrets {
  readonly redact: Redact;
  isClosed: boolean;
}

/** Makes the stores of components, and knows in which log the secrets of each are hidden. */
export class StoreFactory {
  readonly #options: StoreFactoryOptions;
  /** By component: several while one is replaced, the last closed one where none is open. */
  readonly #secrets = new Map<string, readonly Secrets[]>();

  constructor(options: StoreFactoryOptions) {
    this.#options = options;
  }

  /** A store for a component, undefined where nobody knows its type. */
  create(
    { name: componentName, type, version }: ComponentManifest,
    { properties, logger, redact }: StoreParts,
  ): LockStore | undefined {
    const driver = findDriver(type, version);
    if (driver === undefined) return undefined;
    const { authorities, observerOf } = this.#options;
    const secrets: Secrets = { redact, isClosed: false };
    const observer = this.#watch(componentName, secrets, observerOf(componentName));
    const store = driver.create({ componentName, properties, logger, authorities, observer });
    this.#secrets.set(componentName, [...this.#openOf(componentName), secrets]);
    return store;
  }

  /** The log for what is said of calls to a store, undefined for a name that no store has had. */
  loggerOf(store: string): Logger | undefined {
    const all = this.#secrets.get(store);
    if (all === undefined) return undefined;
    return createRedactedLogger(this.#options.logger, (text) =>
      all.reduce((hidden, { redact }) => redact(hidden), text),
    );
  }

  #openOf(store: string): readonly Secrets[] {
    return (this.#secrets.get(store) ?? []).filter(({ isClosed }) => !isClosed);
  }

  /** Lets the secrets of a store go once it is closed, and is not the last that lines may be about. */
  #watch(store: string, secrets: Secrets, observer: StoreObserver): StoreObserver {
    return {
      ...observer,
      closed: () => {
        secrets.isClosed = true;
        const open = this.#openOf(store);
        this.#secrets.set(store, open.length > 0 ? open : [secrets]);
        observer.closed();
      },
    };
  }
}
