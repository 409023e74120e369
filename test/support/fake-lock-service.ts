import type { LockService } from '../../src/lock/lock-service';

/** A LockService whose answers a test gives; by default every lock is free and every unlock works. */
export function createFakeLockService(answers: Partial<LockService> = {}): LockService {
  return {
    tryLock: () => Promise.resolve({ success: true }),
    unlock: () => Promise.resolve({ status: 0 }),
    ...answers,
  };
}
