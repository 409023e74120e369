import { Cancellation } from '../../base/cancellation';
import { createAttempt } from '../attempt';
import type { LeaseClock } from '../lease-clock';
import { StoreError } from '../lock-store';
import type { Hold } from './hold';

/** What came of a renewal; the end is one of the clock of leases. */
export type RenewalEnd =
  | { readonly state: 'renewed'; readonly endMs: number }
  | { readonly state: 'not_found' }
  | { readonly state: 'held_by_other' }
  | { readonly state: 'failed'; readonly error: StoreError };

/** Sends one renewal of a hold under the store's policy, until the hold's call is aborted; never rejects. */
export async function renew(hold: Hold, clock: LeaseClock): Promise<RenewalEnd> {
  const { policy, leases, key, owner, ttlMs } = hold.subject;
  const call = { key, owner, fencingToken: hold.fencingToken, ttlMs };
  const cancellation = new Cancellation();
  // Before the send: a sleep of the machine until the answer is time of the lease.
  const asleepMs = clock.asleepMs();
  hold.call = cancellation;
  try {
    const result = await policy.run((signal) => leases.renew(call, signal), cancellation);
    if (result.status !== 'renewed') return { state: result.status };
    return { state: 'renewed', endMs: result.grant.validUntilMs + asleepMs };
  } catch (error) {
    return { state: 'failed', error: toStoreError(error) };
  } finally {
    // A release that takes its place has a call of its own by now.
    if (hold.call === cancellation) hold.call = undefined;
  }
}

/**
 * Sends one release of exactly the grant of a hold; never rejects. Each is an attempt of its own: an earlier
 * one of unknown outcome needs no undoing, as nothing but this grant can be released by it, however late.
 *
 * @returns the failure, undefined where the lock is not this grant's any more
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

/** True where the failure says that the store could not be asked, rather than that it said no. */
export function isUnreachable({ kind }: StoreError): boolean {
  return kind === 'unavailable' || kind === 'deadline' || kind === 'closed';
}

/** A store throws nothing else; of a defect nobody knows what it left behind. */
function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = 'internal error, the outcome is unknown';
  return new StoreError(message, { kind: 'protocol', outcome: 'unknown', cause: error });
}
