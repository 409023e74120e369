import type { Logger } from '../base/logger';
import type { LockStore } from '../lock/lock-store';
import type { StoreCatalog } from '../lock/store-catalog';
import type { SidecarMetadata } from '../sidecar/metadata';
import type { FailedStep } from './init-lock-store';
import type { ComponentManifest } from './manifest';
import type { MetadataProperties } from './metadata-properties';
import type { Redact } from './redaction';
import type { Environment } from './secrets/environment-access';

/** Is told of every component's init; this is how metrics learn of them. Must not throw. */
export type ComponentObserver = (
  component: Pick<ComponentManifest, 'name' | 'type'>,
  failedAt: FailedStep | undefined,
) => void;

/** What the components of a sidecar stand on. */
export interface ComponentManagerOptions {
  readonly appId: string;
  readonly environment: Environment;
  /**
   * Makes the store of a lock component; undefined where its type or version is unknown. Throws
   * where the component's metadata is wrong. The logger is free of the component's secrets.
   */
  readonly createStore: (
    manifest: ComponentManifest,
    context: {
      readonly properties: MetadataProperties;
      readonly logger: Logger;
      /** Takes the component's secrets out of what others say of its store. */
      readonly redact: Redact;
    },
  ) => LockStore | undefined;
  /** True where the configuration denies a component (`components.deny`). */
  readonly isDenied: (component: Pick<ComponentManifest, 'type' | 'version'>) => boolean;
  readonly observe: ComponentObserver;
  readonly stores: StoreCatalog;
  readonly metadata: SidecarMetadata;
  readonly logger: Logger;
}
