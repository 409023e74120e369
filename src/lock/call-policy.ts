import type { CancelSignal } from '../base/cancellation';

/**
 * How the calls to a store are run: once, or under the time-outs, retries and circuit breakers
 * that a team has configured. Every try of a call carries the same attempt, so that a store
 * recognises it.
 */
export interface CallPolicy {
  /**
   * Runs a call. The signal given to each try aborts with the caller's or when the try's time is
   * over; its reason then says so. Rejects with what the last try failed with, or with a StoreError
   * where no try was made.
   */
  run<T>(call: (signal: CancelSignal) => Promise<T>, signal: CancelSignal): Promise<T>;
}

/** Runs every call once, with no time-out of its own: what daprd does where nothing is configured. */
export const plainPolicy: CallPolicy = {
  run: (call, signal) => call(signal),
};

/** Why a try was ended though its caller is still there. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';
}

/** What ended a call whose signal has aborted, in words for its error. */
export function toEndReason(signal: CancelSignal): string {
  return signal.reason instanceof TimeLimitError
    ? signal.reason.message
    : 'the caller is no longer waiting';
}
