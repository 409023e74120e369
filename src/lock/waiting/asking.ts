import { Cancellation, type CancelSignal } from '../../base/cancellation';
import type { LeaseClock } from '../lease-clock';
import { StoreError } from '../lock-store';
import type { AskResult } from '../store-abilities';
import type { FirstAsks } from './first-asks';
import type { Waiter } from './waiter';

/** The answer to an ask, with its times on the lease clock; or its failure. */
export type AskEnd = AskResult | { readonly state: 'failed'; readonly error: unknown };

/**
 * Sends one ask under the store's policy, including retries. Never rejects. Whoever handles the
 * answer must clear `waiter.ask` in the same turn, because another answer may be handled in
 * between.
 *
 * If the machine sleeps between the send and the answer, that time counts towards the lease. So the
 * offset of the lease clock is read before the send.
 */
export async function ask(
  waiter: Waiter,
  { clock, firstAsks }: { readonly clock: LeaseClock; readonly firstAsks: FirstAsks },
): Promise<AskEnd> {
  const { policy } = waiter.request;
  const cancellation = new Cancellation();
  const asleepMs = clock.asleepMs();
  waiter.ask = cancellation;
  try {
    const inTurn = waiter.isAsked ? policy : firstAsks.inTurn(policy);
    const result = await inTurn.run((signal) => send(waiter, signal), cancellation);
    return toLeaseClock(result, asleepMs);
  } catch (error) {
    return { state: 'failed', error };
  }
}

/** Notes whether an ask may have taken effect without an answer. A later answer settles that. */
async function send(waiter: Waiter, signal: CancelSignal): Promise<AskResult> {
  const { queue, call } = waiter.request;
  waiter.isAsked = true;
  waiter.isSent = true;
  try {
    const result = await queue.ask(call, signal);
    waiter.isUnsure = false;
    waiter.tryError = undefined;
    return result;
  } catch (error) {
    waiter.tryError = error;
    if (!(error instanceof StoreError) || error.outcome === 'unknown') {
      waiter.isUnsure = true;
      waiter.mayHaveActed = true;
    }
    throw error;
  } finally {
    waiter.isSent = false;
  }
}

/**
 * The failure of a wait. If an earlier ask may have been granted, the outcome is unknown, whatever
 * the last one failed with: it says only that it did nothing itself. That holds although a later ask
 * was answered, as the lease of the earlier one may have ended in between.
 */
export function toFailure({ mayHaveActed }: Waiter, error: unknown): unknown {
  if (!mayHaveActed || !(error instanceof StoreError) || error.outcome === 'unknown') return error;
  const { kind, reason, message } = error;
  const text = `${message}, the outcome is unknown`;
  return new StoreError(text, { kind, outcome: 'unknown', cause: error, reason });
}

/** True for a failure that may pass: the wait goes on. Any other failure would occur again. */
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

/** The failure of a wait whose grant was answered after the end of its lease. */
export function leaseIsOver(): StoreError {
  const message = 'the lease expired before its grant was answered; it is withdrawn';
  return new StoreError(message, { kind: 'deadline', outcome: 'unknown', reason: message });
}

/** The failure of a wait whose last ask was not answered in time. */
export function noAnswer(): StoreError {
  const message =
    'the wait ended before the store answered its last request; it is withdrawn, the outcome is unknown';
  return new StoreError(message, { kind: 'deadline', outcome: 'unknown', reason: message });
}
