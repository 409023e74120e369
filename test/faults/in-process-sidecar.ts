import { setTimeout as pause } from 'node:timers/promises';

import { Cancellation } from '../../src/base/cancellation';
import { LockError } from '../../src/lock/lock-errors';
import { createLockService } from '../../src/lock/lock-service';
import type { LockStore } from '../../src/lock/lock-store';
import { SilentCallerError } from '../../src/lock/native-lock-service';
import { createNativeLockService } from '../../src/lock/native/native-locks';
import { StoreCatalog } from '../../src/lock/store-catalog';
import { TcpProxy } from '../support/tcp-proxy';
import {
  type CallAnswer,
  type LockRequest,
  toAnswer,
  toHoldEvent,
  toMessage,
} from './lock-request';
import type { Mishaps, SidecarUnderTest } from './sidecar-under-test';

/** How long a store that is stopped may go on with its withdrawals: as long as a sidecar's may. */
const STOP_GRACE_MS = 5000;

/** Where Redis said no, or was never asked, Holdfast does not call the outcome unknown. */
function toFailure(error: unknown) {
  const { message: reason } = error as Error;
  const isUnknown =
    !(error instanceof LockError) ||
    error.errorCode === 'ERR_LOCK_OUTCOME_UNKNOWN' ||
    error.errorCode === 'ERR_LOCK_CANCELLED' ||
    reason.includes('outcome is unknown');
  return { answer: isUnknown ? 'unknown' : 'not-applied', reason } as const;
}

/** A sidecar without its transports: both lock services over one store. */
async function createServices(store: LockStore) {
  try {
    await store.init(new AbortController().signal);
  } catch (error) {
    await store.close();
    throw error;
  }
  const stores = new StoreCatalog();
  stores.add({ name: 'lockstore', store, keyPrefix: { text: 'lock||myapp||' } });
  const dapr = createLockService({ stores, observers: [] });
  const native = createNativeLockService({ stores, appId: 'myapp', hostName: 'h', observers: [] });
  return {
    native,
    ask(request: LockRequest, signal: Cancellation): Promise<object | undefined> {
      const { kind } = request;
      const message = { storeName: 'lockstore', ...toMessage(request) };
      const caller = { signal, arrivedAtMs: performance.now() };
      if (kind === 'tryLock' || kind === 'unlock') return dapr[kind](message as never, caller);
      return native[kind](message as never, caller);
    },
    async stop(graceMs: number): Promise<void> {
      native.stop();
      await store.close(AbortSignal.timeout(graceMs));
    },
  };
}

/**
 * Starts the lock services over any store in this process: how the zoo's stores are called.
 *
 * @param sendWaitMs how long a send of the store waits for its reply; what faults can explain depends on it
 */
export async function startInProcess(
  serverPort: number,
  createStore: (port: number) => LockStore,
  sendWaitMs: number,
): Promise<SidecarUnderTest> {
  const proxy = await TcpProxy.start(serverPort);
  return startBehind(proxy, () => createStore(proxy.port), sendWaitMs);
}

/** The same behind a network of its own, which is stopped with it. */
export async function startBehind(
  proxy: TcpProxy,
  createStore: () => LockStore,
  sendWaitMs: number,
): Promise<SidecarUnderTest> {
  let services = await createServices(createStore()).catch(async (error: unknown) => {
    // What stays open would keep the process from its end.
    await proxy.stop();
    throw error;
  });
  let isUp = true;
  const mishaps: Mishaps = {
    signals: ['SIGTERM'],
    async restart() {
      isUp = false;
      await services.stop(200);
      services = await createServices(createStore());
      isUp = true;
    },
  };
  return {
    by: 'holdfast',
    proxy,
    sendWaitMs,
    mishaps,
    get isUp() {
      return isUp;
    },
    async call(request) {
      const gone = new Cancellation();
      const answered = new AbortController();
      const timing = { signal: answered.signal };
      // A client waits no longer than its deadline, whatever the service does.
      const timedOut = pause(request.deadlineMs, { answer: 'unknown' as const }, timing);
      const answer = services
        .ask(request, gone)
        .then((response): CallAnswer => {
          const body = request.kind === 'get' ? { lock: response } : response;
          return toAnswer(request.kind, body ?? {});
        })
        .catch(toFailure);
      const result = await Promise.race([answer, timedOut]);
      answered.abort();
      if (result.answer === 'unknown') gone.abort();
      return result;
    },
    hold(request, listener) {
      const { owner: lockOwner, resourceId, ttlMs, waitMs } = request;
      const gone = new Cancellation();
      const caller = { signal: gone, arrivedAtMs: performance.now() };
      const emit = (event: object): void => {
        if (!gone.aborted) listener.told(toHoldEvent(event as Parameters<typeof toHoldEvent>[0]));
      };
      const message = { storeName: 'lockstore', resourceId, lockOwner, ttlMs, waitMs };
      services.native.hold(message, caller, {
        isWritable: true,
        emit,
        ended: (error) => {
          if (error === undefined) listener.ended();
          else listener.ended(toFailure(error));
        },
      });
      return {
        leave: () => {
          gone.abort();
        },
        fallSilent: () => {
          gone.abort(new SilentCallerError());
        },
      };
    },
    async stop() {
      await services.stop(STOP_GRACE_MS);
      await proxy.stop();
    },
  };
}
