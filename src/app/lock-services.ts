import { hostname } from 'node:os';

import { Admission } from '../lock/admission';
import type { CallPolicy } from '../lock/call-policy';
import type { LockObserver } from '../lock/lock-observer';
import { createLockService, type LockService } from '../lock/lock-service';
import { createNativeLockService } from '../lock/native/native-locks';
import type { NativeLockService } from '../lock/native-lock-service';
import type { StoreCatalog } from '../lock/store-catalog';

/** The dependencies of both lock services. */
export interface LockServicesOptions {
  readonly appId: string;
  readonly stores: StoreCatalog;
  readonly policyOf: (storeName: string) => CallPolicy;
  readonly observers: readonly LockObserver[];
  /**
   * Limit of concurrent calls of both APIs together, except those that wait or hold. Undefined for
   * no limit.
   */
  readonly maxConcurrentCalls: number | undefined;
}

/** The services behind Dapr's API and the native API, over the same stores. */
export interface LockServices {
  readonly locks: LockService;
  readonly nativeLocks: NativeLockService;
}

/** Creates both services. */
export function createLockServices(options: LockServicesOptions): LockServices {
  const { appId, maxConcurrentCalls = Infinity, ...shared } = options;
  const admission = new Admission(maxConcurrentCalls);
  return {
    locks: createLockService({ ...shared, admission }),
    nativeLocks: createNativeLockService({ ...shared, admission, appId, hostName: hostname() }),
  };
}
