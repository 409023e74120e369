import type { LockService } from '../../src/lock/lock-service';
import type { LockInfo, NativeLockService } from '../../src/lock/native-lock-service';

/** A LockService whose answers a test gives; by default every lock is free and every unlock works. */
export function createFakeLockService(answers: Partial<LockService> = {}): LockService {
  return {
    tryLock: () => Promise.resolve({ success: true }),
    unlock: () => Promise.resolve({ status: 0 }),
    ...answers,
  };
}

/** A lock as a {@link createFakeNativeLocks} shows it. */
export const FAKE_LOCK: LockInfo = {
  resourceId: 'r',
  lockOwner: 'o',
  fencingToken: 7,
  ttlMs: 1000,
  expiresAtMs: 2000,
  waiters: 0,
};

/** A NativeLockService of which every call goes well, and every hold ends once it has its lock. */
export function createFakeNativeLocks(answers: Partial<NativeLockService> = {}): NativeLockService {
  const lease = { lockOwner: 'o', fencingToken: 7, validMs: 1000 };
  return {
    acquire: () => Promise.resolve({ acquired: true, lease }),
    renew: () => Promise.resolve({ status: 'RENEWED', lease }),
    release: () => Promise.resolve({ status: 'RELEASED' }),
    hold: (_request, _caller, sink) => {
      queueMicrotask(() => {
        sink.emit({ type: 'held', lease });
        sink.ended(undefined);
      });
    },
    get: () => Promise.resolve(FAKE_LOCK),
    list: () => Promise.resolve({ locks: [FAKE_LOCK], nextPageToken: '' }),
    forceRelease: () => Promise.resolve({ status: 'RELEASED' }),
    stop: () => undefined,
    ...answers,
  };
}
