import type { Logger } from '../base/logger';
import type { ComponentManifest } from '../components/manifest';
import type { MetadataProperties } from '../components/metadata-properties';
import { createRedactedLogger, type Redact } from '../components/redaction';
import type { LockStore } from '../lock/lock-store';
import type { StoreObserver } from '../lock/store-observer';
import { findDriver } from '../stores/drivers';
import type { SystemAuthorities } from '../trust/system-authorities';

/** The options that all stores of a sidecar share. */
export interface StoreFactoryOptions {
  /** The CAs to trust. */
  readonly authorities: SystemAuthorities;
  /** Creates the observer of a store's connection to its server. */
  readonly observerOf: (store: string) => StoreObserver;
  /** The log for lines about calls. */
  readonly logger: Logger;
}

/** The input for a component's store. */
interface StoreParts {
  readonly properties: MetadataProperties;
  /** A logger that hides the component's secrets. */
  readonly logger: Logger;
  readonly redact: Redact;
}

/** The secrets of one store, which may be closed already. */
interface Secrets {
  readonly redact: Redact;
  isClosed: boolean;
}

/** Creates the stores of components, and a log for each that hides its secrets. */
export class StoreFactory {
  readonly #options: StoreFactoryOptions;
  /**
   * By component. There are several while a store is replaced, and the last closed one if none is
   * open.
   */
  readonly #secrets = new Map<string, readonly Secrets[]>();

  constructor(options: StoreFactoryOptions) {
    this.#options = options;
  }

  /** Creates a component's store. Undefined if its type is unknown. */
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

  /** The log for messages about calls to a store. Undefined for a name that no store has had. */
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

  /** Drops the secrets of a store after it was closed, unless log lines may still concern it. */
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
