import type { LockStore } from '../../src/lock/lock-store';

/** A store that grants and releases everything, unless a test says otherwise. It notes its calls. */
export type FakeStore = ReturnType<typeof createFakeStore>;

/** Creates a {@link FakeStore}. */
export function createFakeStore(init: LockStore['init'] = () => Promise.resolve()) {
  return {
    init: jest.fn(init),
    tryLock: fake<'tryLock'>(() => Promise.resolve({ acquired: true })),
    unlock: fake<'unlock'>(() => Promise.resolve('unlocked')),
    withdraw: fake<'withdraw'>(() => Promise.resolve()),
    ping: () => Promise.resolve(),
    close: jest.fn(() => Promise.resolve()),
  } satisfies LockStore;
}

function fake<Name extends 'tryLock' | 'unlock' | 'withdraw'>(
  call: () => ReturnType<LockStore[Name]>,
) {
  return jest.fn<ReturnType<LockStore[Name]>, Parameters<LockStore[Name]>>(call);
}
