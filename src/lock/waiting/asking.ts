import { Cancellation } from '../../base/cancellation';
import type { LeaseClock } from '../lease-clock';
import { StoreError } from '../lock-store';
import type { AskResult } from '../store-abilities';
import type { Waiter } from './waiter';

/** The answer to an ask, its moments on the clock of leases; or its failure. */
export type AskEnd =
  AskResult | { readonly state: 'failed'; readonly error: unknown; readonly isApplied: boolean };

/**
 * Sends one ask under the store's policy, retries included; never rejects. `waiter.ask` is to be cleared by whoever
 * deals with the answer, in the same turn: another answer may be dealt with between the two.
 *
 * A sleep of the machine between the send and the answer is time of the lease, so what is added to the moments
 * of the answer is read before.
 */
export async function ask(waiter: Waiter, clock: LeaseClock): Promise<AskEnd> {
  const { queue, policy, call } = waiter.request;
  const cancellation = new Cancellation();
  const asleepMs = clock.asleepMs();
  waiter.ask = cancellation;
  try {
    const result = await policy.run((signal) => queue.ask(call, signal), cancellation);
    return toLeaseClock(result, asleepMs);
  } catch (error) {
    const isApplied = !(error instanceof StoreError) || error.outcome === 'unknown';
    return { state: 'failed', error, isApplied };
  }
}

/** True for a failure that time may mend: the wait goes on. Of others a repeated ask would meet the same. */
export function isPassing(error: unknown): error is StoreError {
  return error instanceof StoreError && (error.kind === 'unavailable' || error.kind === 'deadline');
}

function toLeaseClock(result: AskResult, asleepMs: number): AskResult {
  if (result.state === 'granted') {
    const { fencingToken, validUntilMs } = result.grant;
    return { state: 'granted', grant: { fencingToken, validUntilMs: validUntilMs + asleepMs } };
  }
  const { ahead, freeAtMs } = result;
  return {
    state: 'queued',
    ahead,
    freeAtMs: freeAtMs === undefined ? undefined : freeAtMs + asleepMs,
  };
}
