import type { Logger } from '../base/logger';
import type { MetadataProperties } from '../components/metadata-properties';
import type { LockStore } from '../lock/lock-store';
import type { StoreObserver } from '../lock/store-observer';
import type { SystemAuthorities } from '../trust/system-authorities';

/** What a driver gets to make a store of one component. */
export interface DriverContext {
  readonly componentName: string;
  readonly properties: MetadataProperties;
  readonly logger: Logger;
  /** Is told how the way to the server fares. */
  readonly observer?: StoreObserver;
  /** Whom the machine trusts; without them, who stands in the usual places. */
  readonly authorities?: SystemAuthorities;
}

/** A kind of lock store: one component type. `drivers.ts` has the list. */
export interface LockDriver {
  /** The component type, lower-cased, for example `lock.redis`. */
  readonly type: string;
  /**
   * Makes a store that is not connected yet; `init` does that.
   *
   * @throws {Error} naming every property that is wrong and what is allowed
   */
  create(context: DriverContext): LockStore;
}
