import { hostname } from 'node:os';

import { Admission } from '../lock/admission';
import type { CallPolicy } from '../lock/call-policy';
import type { LockObserver } from '../lock/lock-observer';
import { createLockService, type LockService } from '../lock/lock-service';
import { createNativeLockService } from '../lock/native/native-locks';
import type { NativeLockService } from '../lock/native-lock-service';
import type { StoreCatalog } from '../lock/store-catalog';
import type { AppOptions } from './app-options';

/** The dependencies of both lock services. */
export interface LockServicesOptions {
  readonly appId: string;
  readonly stores: StoreCatalog;
  readonly policyOf: (storeName: string) => CallPolicy;
  readonly observers: readonly LockObserver[];
  /** Limits. That of concurrent calls is for both APIs together, without calls that wait or hold. */
  readonly bounds: Pick<AppOptions, 'maxConcurrentLockCalls' | 'maxLockWaits' | 'maxLockHolds'>;
}

/** The services behind Dapr's API and the native API, over the same stores. */
export interface LockServices {
  readonly locks: LockService;
  readonly nativeLocks: NativeLockService;
}

/** Creates both services. */
export function createLockServices(options: LockServicesOptions): LockServices {
  const { appId, bounds, ...shared } = options;
  const {
    maxConcurrentLockCalls = Infinity,
    maxLockWaits: maxWaits,
    maxLockHolds: maxHolds,
  } = bounds;
  const admission = new Admission(maxConcurrentLockCalls);
  const own = { admission, appId, hostName: hostname(), maxWaits, maxHolds };
  return {
    locks: createLockService({ ...shared, admission }),
    nativeLocks: createNativeLockService({ ...shared, ...own }),
  };
}
