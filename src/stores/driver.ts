import type { Logger } from '../base/logger';
import type { MetadataProperties } from '../components/metadata-properties';
import type { LockStore } from '../lock/lock-store';
import type { StoreObserver } from '../lock/store-observer';
import type { SystemAuthorities } from '../trust/system-authorities';

/** The parameters for creating the store of a component. */
export interface DriverContext {
  readonly componentName: string;
  readonly properties: MetadataProperties;
  readonly logger: Logger;
  /** Receives events about the connection to the server. */
  readonly observer?: StoreObserver;
  /**
   * The certificate authorities that the machine trusts. Without them, those in the usual places
   * are used.
   */
  readonly authorities?: SystemAuthorities;
}

/** A kind of lock store: one component type. `drivers.ts` has the list. */
export interface LockDriver {
  /** The component type in lower case, for example `lock.redis`. */
  readonly type: string;
  /**
   * Creates a store that is not connected yet; `init` connects it.
   *
   * @throws {Error} naming every invalid property and its allowed values
   */
  create(context: DriverContext): LockStore;
}
