import { toErrorMessage } from '../base/error-message';
import { Cancellation } from '../base/cancellation';
import {
  type HoldfastError,
  isPassing,
  LockRejectedError,
  LockUnreachableError,
} from '../client/client-errors';
import type {
  CallLimits,
  ForceReleaseCall,
  GrantCall,
  HoldListener,
  ListCall,
  LockCalls,
  LockInfo,
  LockName,
  LockPage,
  ReleaseStatus,
  RenewAnswer,
  RenewCall,
  TakeAnswer,
  TakeCall,
} from '../client/lock-calls';
import { runWithin } from '../base/race';
import { LockError } from '../lock/lock-errors';
import type { NativeCaller, NativeLockService } from '../lock/native-lock-service';
import { openOwnStores, type OwnStores, type OwnStoresOptions } from './own-stores';

/**
 * The native API over stores of this process, for commands on machines without a sidecar.
 *
 * @throws {LockRejectedError} if component files can't be used
 * @throws {LockUnreachableError} if the store can't be reached
 */
export async function openOwnLockCalls(options: OwnStoresOptions): Promise<LockCalls> {
  return new OwnLockCalls(await openOwnStores(options));
}

class OwnLockCalls implements LockCalls {
  readonly #stores: OwnStores;
  readonly #locks: NativeLockService;

  constructor(stores: OwnStores) {
    this.#stores = stores;
    this.#locks = stores.locks;
  }

  acquire(call: TakeCall, limits: CallLimits): Promise<TakeAnswer> {
    return this.#call(limits, (caller) => this.#locks.acquire(call, caller));
  }

  renew(call: RenewCall, limits: CallLimits): Promise<RenewAnswer> {
    return this.#call(limits, (caller) => this.#locks.renew(call, caller));
  }

  async release(call: GrantCall, limits: CallLimits): Promise<ReleaseStatus> {
    return (await this.#call(limits, (caller) => this.#locks.release(call, caller))).status;
  }

  get(call: LockName, limits: CallLimits): Promise<LockInfo | undefined> {
    return this.#call(limits, (caller) => this.#locks.get(call, caller));
  }

  list(call: ListCall, limits: CallLimits): Promise<LockPage> {
    return this.#call(limits, (caller) => this.#locks.list(call, caller));
  }

  async forceRelease(call: ForceReleaseCall, limits: CallLimits): Promise<ReleaseStatus> {
    return (await this.#call(limits, (caller) => this.#locks.forceRelease(call, caller))).status;
  }

  hold(call: TakeCall, listener: HoldListener): () => void {
    const cancel = new Cancellation();
    this.#locks.hold(call, toCaller(cancel), {
      isWritable: true,
      emit: (event) => {
        if (!cancel.aborted) listener.event(event);
      },
      ended: (error) => {
        if (!cancel.aborted) listener.ended(error === undefined ? undefined : toClientError(error));
      },
    });
    return () => {
      cancel.abort();
    };
  }

  close(): Promise<void> {
    return this.#stores.close();
  }

  async #call<T>(
    { timeoutMs, signal }: CallLimits,
    run: (caller: NativeCaller) => Promise<T>,
  ): Promise<T> {
    try {
      const limit = { afterMs: timeoutMs, signals: signal === undefined ? [] : [signal] };
      return await runWithin(limit, (over) => run(toCaller(over)));
    } catch (error) {
      signal?.throwIfAborted();
      throw toClientError(error);
    }
  }
}

function toCaller(signal: NativeCaller['signal']): NativeCaller {
  return { signal, observer: undefined, arrivedAtMs: performance.now() };
}

/** As they would come from a sidecar. */
function toClientError(error: unknown): HoldfastError {
  const options = { cause: error };
  if (!(error instanceof LockError))
    return new LockRejectedError(toErrorMessage(error), 'INTERNAL');
  const { grpcCode, message } = error;
  return isPassing(grpcCode)
    ? new LockUnreachableError(message, options)
    : new LockRejectedError(message, grpcCode, options);
}
