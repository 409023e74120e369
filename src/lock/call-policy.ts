import type { CancelSignal } from '../base/cancellation';

/**
 * How calls to a store are run: once, or under the time-outs, retries and circuit breakers of a
 * resiliency policy. Every try of a call carries the same attempt, so that a store recognises it.
 */
export interface CallPolicy {
  /**
   * Runs a call. The signal of each try aborts with the caller's signal, or when the time of the
   * try is over; its reason says which. Rejects with the error of the last try, or with a
   * StoreError if no try was made.
   */
  run<T>(call: (signal: CancelSignal) => Promise<T>, signal: CancelSignal): Promise<T>;
}

/** Runs every call once, without a time-out of its own, as daprd does if nothing is configured. */
export const plainPolicy: CallPolicy = {
  run: (call, signal) => call(signal),
};

/** A try reached its time limit. Its caller is still waiting. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';
}

/** The reason why a call was aborted, for its error text. */
export function toEndReason(signal: CancelSignal): string {
  return signal.reason instanceof TimeLimitError
    ? signal.reason.message
    : 'the caller is no longer waiting';
}
