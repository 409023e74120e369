import { randomBytes } from 'node:crypto';

import { StoreError } from '../../lock/lock-store';
import { toLocalEnd } from '../attempts/lease-end';
import { isLeaseNotFound, isLeaseTaken } from './etcd-errors';
import type { EtcdCalls } from './etcd-link';

/** A lease of etcd. */
export interface EtcdLease {
  readonly id: string;
  /** The local end: it lasts at least until then. */
  readonly validUntilMs: number;
}

/** For the way of a call, and for the resolution of clocks. */
const ROUNDING_MS = 2;

/** The largest fencing token, and so the largest revision at which a lock can be taken. */
const LARGEST_TOKEN = Number.MAX_SAFE_INTEGER;

/**
 * Creates a lease under a new id. It lasts as long as etcd says: at least for the time asked for,
 * and no shorter than one and a half of etcd's election timeouts.
 */
export async function grantLease(link: EtcdCalls, ttlMs: number): Promise<EtcdLease> {
  const id = drawId();
  const sentAtMs = performance.now();
  try {
    const { TTL } = await link.call(link.api.grantLease, { ID: id, TTL: toSeconds(ttlMs) });
    return { id, validUntilMs: toValidUntil(sentAtMs, Number(TTL) * 1000) };
  } catch (error) {
    if (!isLeaseTaken(error)) throw error;
    return grantLease(link, ttlMs);
  }
}

/** Ends a lease and deletes its keys. Does nothing if there is no such lease. */
export async function revokeLease(link: EtcdCalls, id: string): Promise<void> {
  try {
    await link.call(link.api.revokeLease, { ID: id });
  } catch (error) {
    if (!isLeaseNotFound(error)) throw error;
  }
}

/**
 * Ends a lease that nothing depends on any more. If that fails, it ends by itself later.
 */
export function dropLease(link: EtcdCalls, id: string): void {
  revokeLease(link, id).catch(() => undefined);
}

/**
 * The local end of a lease, from what is left of it. Never later than the real one, and up to a
 * second earlier, because etcd rounds down. Undefined if there is no such lease.
 */
export async function readLease(
  link: EtcdCalls,
  id: string,
): Promise<{ readonly leftMs: number; readonly validUntilMs: number } | undefined> {
  const sentAtMs = performance.now();
  try {
    const { TTL } = await link.call(link.api.timeToLive, { ID: id });
    const leftMs = Number(TTL) * 1000;
    return leftMs < 0 ? undefined : { leftMs, validUntilMs: toValidUntil(sentAtMs, leftMs) };
  } catch (error) {
    if (isLeaseNotFound(error)) return undefined;
    throw error;
  }
}

/** Whole seconds, rounded up: etcd has no others. */
export function toSeconds(ttlMs: number): number {
  return Math.ceil(ttlMs / 1000);
}

/**
 * A create revision as a fencing token.
 *
 * @throws {StoreError} if it is too large for a number. etcd would need 285 years at a million
 *   changes a second
 */
export function toToken(revision: string): number {
  const token = Number(revision);
  if (token <= LARGEST_TOKEN) return token;
  throw new StoreError('etcd has no fencing token below 2^53 left', {
    kind: 'rejected',
    outcome: 'unknown',
  });
}

function toValidUntil(sentAtMs: number, leaseMs: number): number {
  return toLocalEnd(sentAtMs, leaseMs, ROUNDING_MS);
}

/** A random number of 62 bits, not 0, which would let etcd draw one. */
function drawId(): string {
  const id = randomBytes(8).readBigUInt64BE() >> 2n;
  return String(id === 0n ? 1n : id);
}
