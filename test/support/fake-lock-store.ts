import type { LockStore } from '../../src/lock/lock-store';

/** A store that grants everything; it notes how it was opened, asked for locks and closed. */
export function createFakeStore(init: LockStore['init'] = () => Promise.resolve()) {
  return {
    init: jest.fn(init),
    tryLock: jest.fn(() => Promise.resolve({ acquired: true })),
    unlock: () => Promise.resolve('unlocked' as const),
    withdraw: () => Promise.resolve(),
    ping: () => Promise.resolve(),
    close: jest.fn(() => Promise.resolve()),
  } satisfies LockStore;
}
