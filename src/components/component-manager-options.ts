import type { Logger } from '../base/logger';
import type { LockStore } from '../lock/lock-store';
import type { StoreCatalog } from '../lock/store-catalog';
import type { SidecarMetadata } from '../sidecar/metadata';
import type { FailedStep } from './init-lock-store';
import type { ComponentManifest } from './manifest';
import type { MetadataProperties } from './metadata-properties';
import type { Redact } from './redaction';
import type { Environment } from './secrets/environment-access';

/** Called after every init of a component; metrics use it. Must not throw. */
export type ComponentObserver = (
  component: Pick<ComponentManifest, 'name' | 'type'>,
  failedAt: FailedStep | undefined,
) => void;

/** The dependencies of a {@link ComponentManager}. */
export interface ComponentManagerOptions {
  readonly appId: string;
  readonly environment: Environment;
  /**
   * Creates the store of a lock component. Undefined if its type or version is unknown. Throws if
   * its metadata is invalid. The logger hides the component's secrets.
   */
  readonly createStore: (
    manifest: ComponentManifest,
    context: {
      readonly properties: MetadataProperties;
      readonly logger: Logger;
      /** Hides the component's secrets in messages about its store. */
      readonly redact: Redact;
    },
  ) => LockStore | undefined;
  /** True if the configuration denies a component (`components.deny`). */
  readonly isDenied: (component: Pick<ComponentManifest, 'type' | 'version'>) => boolean;
  readonly observe: ComponentObserver;
  readonly stores: StoreCatalog;
  readonly metadata: SidecarMetadata;
  readonly logger: Logger;
}
