import { setTimeout as pause } from 'node:timers/promises';

import type { Transport } from '../lock-requests';
import type { Target } from '../target';
import { type Contender, type Locker, lockerContender } from './contender';
import { createLockCaller } from './lock-caller';

/** How often the clients that poll try again, in milliseconds. */
const POLL_EVERY_MS = [10, 50, 100];

/** Clients that wait in turn do not poll: hold times are spread over so many milliseconds only. */
const SPREAD_MS = 10;

/** Holdfast's own waiting, and clients that poll Dapr's TryLock on the same sidecar. */
export function holdfastContenders(
  target: Target,
  transport: Transport,
  pids: readonly number[],
): readonly Contender[] {
  const waiting = lockerContender({
    name: 'ours',
    waitsBy: 'a wake-up, in turn',
    pids,
    spreadMs: SPREAD_MS,
    open: (lock) => waitingLocker(target, transport, lock),
  });
  const polling = POLL_EVERY_MS.map((everyMs) =>
    lockerContender({
      name: `polling every ${everyMs} ms`,
      waitsBy: 'TryLock',
      pids,
      spreadMs: everyMs,
      open: (lock) => pollingLocker(target, transport, { lock, everyMs }),
    }),
  );
  return [waiting, ...polling];
}

let owners = 0;

function nameLock(resourceId: string) {
  owners += 1;
  return { resourceId, lockOwner: `locker-${process.pid}-${owners}` };
}

function waitingLocker(target: Target, transport: Transport, lock: string): Locker {
  const caller = createLockCaller(target, transport);
  const name = nameLock(lock);
  return {
    acquire: () => caller.acquire(name),
    release: () => caller.release(name),
    close: () => {
      caller.close();
    },
  };
}

function pollingLocker(
  target: Target,
  transport: Transport,
  { lock, everyMs }: { readonly lock: string; readonly everyMs: number },
): Locker {
  const caller = createLockCaller(target, transport);
  const name = nameLock(lock);
  return {
    acquire: async () => {
      // Clients that begin together do not stay together.
      await pause(Math.random() * everyMs);
      while (!(await caller.tryLock(name))) await pause(everyMs);
    },
    release: () => caller.unlock(name),
    close: () => {
      caller.close();
    },
  };
}
