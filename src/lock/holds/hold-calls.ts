import { Cancellation } from '../../base/cancellation';
import { createAttempt } from '../attempt';
import type { LeaseClock } from '../lease-clock';
import { StoreError } from '../lock-store';
import type { Hold } from './hold';

/** The result of a renewal. The end is on the lease clock. */
export type RenewalEnd =
  | { readonly state: 'renewed'; readonly endMs: number }
  | { readonly state: 'not_found' }
  | { readonly state: 'held_by_other' }
  | { readonly state: 'failed'; readonly error: StoreError };

/**
 * Sends one renewal of a hold under the store's policy. Stops when the hold's call is aborted.
 * Never rejects.
 */
export async function renew(hold: Hold, clock: LeaseClock): Promise<RenewalEnd> {
  const { policy, leases, key, owner, ttlMs } = hold.subject;
  const call = { key, owner, fencingToken: hold.fencingToken, ttlMs };
  const cancellation = new Cancellation();
  // Read before the send: if the machine sleeps until the answer, that time counts towards the lease.
  const asleepMs = clock.asleepMs();
  hold.call = cancellation;
  try {
    const result = await policy.run((signal) => leases.renew(call, signal), cancellation);
    if (result.status !== 'renewed') return { state: result.status };
    return { state: 'renewed', endMs: result.grant.validUntilMs + asleepMs };
  } catch (error) {
    return { state: 'failed', error: toStoreError(error) };
  } finally {
    // A release may have replaced this call.
    if (hold.call === cancellation) hold.call = undefined;
  }
}

/**
 * Sends one release of exactly the grant of a hold. Never rejects. Each release is a new attempt.
 * An earlier one of unknown outcome needs no undoing: it can only release this grant, however late
 * it arrives.
 *
 * @returns the failure; undefined if this grant no longer holds the lock
 */
export async function release(hold: Hold): Promise<StoreError | undefined> {
  const { policy, leases, key, owner } = hold.subject;
  const call = { key, owner, fencingToken: hold.fencingToken, attempt: createAttempt() };
  const cancellation = new Cancellation();
  hold.call = cancellation;
  try {
    await policy.run((signal) => leases.release(call, signal), cancellation);
    return undefined;
  } catch (error) {
    return toStoreError(error);
  } finally {
    if (hold.call === cancellation) hold.call = undefined;
  }
}

/** True if the renewal has extended the lease in the store, or may have. */
export function mayHaveExtended(end: RenewalEnd): boolean {
  return end.state === 'renewed' || (end.state === 'failed' && end.error.outcome === 'unknown');
}

/** True if the store could not be reached, as opposed to a refusal by the store. */
export function isUnreachable({ kind }: StoreError): boolean {
  return kind === 'unavailable' || kind === 'deadline' || kind === 'closed';
}

/** Any other error is a bug, whose effect on the store is unknown. */
function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = 'internal error, the outcome is unknown';
  return new StoreError(message, { kind: 'protocol', outcome: 'unknown', cause: error });
}
