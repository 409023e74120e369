import { LockLostError, LockUnreachableError } from '../../src/client/client-errors';
import type { HoldListener, LockCalls, ReleaseStatus } from '../../src/client/lock-calls';
import { StoreLocks } from '../../src/client/store-locks';

/** Locks over calls that a test answers itself. */
function createLocks() {
  const unexpected = (): Promise<never> => Promise.reject(new Error('not expected here'));
  const seen = { listeners: [] as HoldListener[], ended: 0, isClosed: false };
  const release = jest.fn((): Promise<ReleaseStatus> => Promise.resolve('RELEASED'));
  const calls: LockCalls = {
    acquire: unexpected,
    renew: unexpected,
    get: unexpected,
    list: unexpected,
    forceRelease: unexpected,
    release,
    hold: (_call, listener) => {
      seen.listeners.push(listener);
      return () => {
        seen.ended += 1;
      };
    },
    close: () => {
      seen.isClosed = true;
      return Promise.resolve();
    },
  };
  const locks = new StoreLocks({ calls, storeName: 'store', timeoutMs: 1000 });
  return { seen, release, locks };
}

function toHeld(validMs: number) {
  return { type: 'held', lease: { lockOwner: 'a', fencingToken: 7, validMs } } as const;
}

describe('locks that are closed', () => {
  it('release what they hold first', async () => {
    const { seen, release, locks } = createLocks();
    const holding = locks.hold('r');
    seen.listeners[0]?.event(toHeld(30_000));
    const lock = await holding;
    await locks.close();
    expect(release).toHaveBeenCalledTimes(1);
    expect(lock.validForMs).toBe(0);
    expect(seen.isClosed).toBe(true);
  });

  it('release nothing twice', async () => {
    const { seen, release, locks } = createLocks();
    const holding = locks.hold('r');
    seen.listeners[0]?.event(toHeld(30_000));
    await (await holding).release();
    await locks.close();
    expect(release).toHaveBeenCalledTimes(1);
  });

  it('end holds that wait, and begin none', async () => {
    const { seen, locks } = createLocks();
    const waiting = locks.hold('r', { waitMs: 10_000 });
    const refused = expect(waiting).rejects.toThrow(LockUnreachableError);
    await locks.close();
    await refused;
    expect(seen.ended).toBe(1);
    await expect(locks.hold('r')).rejects.toThrow(LockUnreachableError);
    expect(seen.listeners).toHaveLength(1);
  });
});

it('does not hand out a lock whose lease was over when its grant was read', async () => {
  const { seen, locks } = createLocks();
  const work = jest.fn();
  const running = locks.withLock('r', {}, work);
  seen.listeners[0]?.event(toHeld(0));
  await expect(running).rejects.toThrow(LockLostError);
  expect(work).not.toHaveBeenCalled();
  expect(seen.ended).toBe(1);
});
