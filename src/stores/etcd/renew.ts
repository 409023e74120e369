import type { RenewCall, RenewResult } from '../../lock/store-abilities';
import type { KeyValue } from './etcd-api';
import { isLeaseNotFound } from './etcd-errors';
import { type EtcdKeys, parseValue } from './etcd-keys';
import { dropLease, grantLease, readLease, toSeconds, toToken } from './etcd-leases';
import type { EtcdCalls } from './etcd-link';

/** The inputs of a renewal. */
export interface RenewTerms {
  readonly keys: EtcdKeys;
  readonly call: RenewCall;
}

/**
 * Moves a grant to a new lease that lasts longer. Its key keeps the create revision, and so the
 * token. docs/decisions/0018 says why the present lease is not kept alive instead.
 */
export async function renew(link: EtcdCalls, { keys, call }: RenewTerms): Promise<RenewResult> {
  const key = keys.lock(call.key);
  for (;;) {
    const { kvs } = await link.call(link.api.range, { key });
    const [held] = kvs;
    if (held === undefined) return { status: 'not_found' };
    if (!isNamed(held, call)) return { status: 'held_by_other' };
    const validUntilMs = (await keepIfLonger(link, held, call)) ?? (await move(link, held, call));
    if (validUntilMs !== undefined) {
      return {
        status: 'renewed',
        grant: { fencingToken: toToken(held.createRevision), validUntilMs },
      };
    }
    // It was renewed or ended since it was read.
  }
}

function isNamed(held: KeyValue, { owner, fencingToken }: RenewCall): boolean {
  const isToken = fencingToken === undefined || held.createRevision === String(fencingToken);
  return isToken && parseValue(held.value).owner === owner;
}

/** The local end of the present lease, if it lasts as long as the renewal asks for. */
async function keepIfLonger(
  link: EtcdCalls,
  { lease }: KeyValue,
  { ttlMs }: RenewCall,
): Promise<number | undefined> {
  // Put by hand, without a lease: it does not end.
  if (lease === '0') return performance.now() + ttlMs;
  const left = await readLease(link, lease);
  return left !== undefined && left.leftMs >= toSeconds(ttlMs) * 1000
    ? left.validUntilMs
    : undefined;
}

/** Undefined if the grant has changed, or the new lease has already ended. */
async function move(
  link: EtcdCalls,
  { key, createRevision, lease: before }: KeyValue,
  { ttlMs }: RenewCall,
): Promise<number | undefined> {
  const lease = await grantLease(link, ttlMs);
  const moving = link.call(link.api.txn, {
    compare: [
      { key, target: 'CREATE', createRevision },
      { key, target: 'LEASE', lease: before },
    ],
    success: [{ requestPut: { key, ignoreValue: true, lease: lease.id } }],
  });
  const { succeeded } = await moving.catch((error: unknown) => {
    if (isLeaseNotFound(error)) return { succeeded: false };
    throw error;
  });
  // The key hangs on the one, and nothing on the other.
  dropLease(link, succeeded ? before : lease.id);
  return succeeded ? lease.validUntilMs : undefined;
}
