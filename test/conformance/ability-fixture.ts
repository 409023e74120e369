import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';

import { createAttempt } from '../../src/lock/attempt';
import type { LockStore, TryLockCall } from '../../src/lock/lock-store';
import type { AskCall, AskResult, Grant, QueueListener } from '../../src/lock/store-abilities';

/** A lease, or a wait, that no test outlives, in milliseconds. */
export const LONG_MS = 60_000;

/** A signal that never aborts. Like those of the service, it may be listened to more than ten times. */
export function forever(): AbortSignal {
  const { signal } = new AbortController();
  setMaxListeners(Infinity, signal);
  return signal;
}

/** A try, or an ask that waits for a minute, on a key of its own unless one is given. */
export function callOn(given: Partial<AskCall> = {}): TryLockCall & AskCall {
  return {
    key: `lock||conformance||${randomUUID()}`,
    owner: 'a',
    ttlMs: LONG_MS,
    attempt: createAttempt(),
    waitUntilMs: performance.now() + LONG_MS,
    ...given,
  };
}

/** Takes a lock; fails where it is held. */
export async function acquire(store: LockStore, call: TryLockCall): Promise<Grant> {
  const result = await store.leases!.acquire(call, forever());
  if (!result.acquired) throw new Error(`${call.key} is held`);
  return result.grant;
}

/** Asks for a lock; fails where it is not granted. */
export async function beGranted(store: LockStore, call: AskCall): Promise<Grant> {
  const result: AskResult = await store.queue!.ask(call, forever());
  if (result.state !== 'granted') throw new Error(`queued behind ${result.ahead}`);
  return result.grant;
}

/** The events that a store reports of its queues. */
export class RecordingListener implements QueueListener {
  readonly told: string[] = [];

  woken(attemptId: string): void {
    this.told.push(attemptId);
  }

  missed(): void {
    this.told.push('missed');
  }

  lapsed(): void {
    this.told.push('lapsed');
  }
}
