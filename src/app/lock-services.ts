import { hostname } from 'node:os';

import { Admission } from '../lock/admission';
import type { CallPolicy } from '../lock/call-policy';
import type { LockObserver } from '../lock/lock-observer';
import { createLockService, type LockService } from '../lock/lock-service';
import { createNativeLockService } from '../lock/native/native-locks';
import type { NativeLockService } from '../lock/native-lock-service';
import type { StoreCatalog } from '../lock/store-catalog';

/** What lock services stand on. */
export interface LockServicesOptions {
  readonly appId: string;
  readonly stores: StoreCatalog;
  readonly policyOf: (storeName: string) => CallPolicy;
  readonly observers: readonly LockObserver[];
  /** Of both APIs together, without those that wait or hold; undefined for no bound. */
  readonly maxConcurrentCalls: number | undefined;
}

/** Dapr's API and Holdfast's own, over the same stores. */
export interface LockServices {
  readonly locks: LockService;
  readonly nativeLocks: NativeLockService;
}

/** Makes both services. */
export function createLockServices(options: LockServicesOptions): LockServices {
  const { appId, maxConcurrentCalls = Infinity, ...shared } = options;
  const admission = new Admission(maxConcurrentCalls);
  return {
    locks: createLockService({ ...shared, admission }),
    nativeLocks: createNativeLockService({ ...shared, admission, appId, hostName: hostname() }),
  };
}
