import type { Attempt } from '../../lock/attempt';
import { StoreError, type UnlockOutcome } from '../../lock/lock-store';
import type { AttemptRecord, OpenRelease } from './attempt-record';
import type { Compare, KeyValue } from './etcd-api';
import { type EtcdKeys, parseValue } from './etcd-keys';
import { isOutOfSpace } from './etcd-errors';
import { dropLease, readLease } from './etcd-leases';
import type { EtcdCalls } from './etcd-link';

/** The grant that a release names. */
export interface ReleaseTerms {
  readonly key: string;
  readonly attempt: Attempt;
  /** Omitted for any owner. */
  readonly owner?: string | undefined;
  /** Omitted for any grant of the owner. */
  readonly fencingToken?: number | undefined;
}

/** The inputs of a release. */
export interface ReleaseOptions {
  readonly keys: EtcdKeys;
  readonly terms: ReleaseTerms;
  readonly record: AttemptRecord;
}

/** The outcome of a release. `superseded` as for an acquire. */
export type ReleaseReply = UnlockOutcome | 'superseded';

/** The values of traces. */
export const TRACE = {
  released: Buffer.from('released'),
  withdrawn: Buffer.from('withdrawn'),
} as const;

/**
 * Releases a lock if the terms name its grant. The transaction that deletes it names exactly the
 * grant that was read, so that a late one can't release another.
 *
 * @throws {StoreError} with an unknown outcome if the grant has ended and its trace has, too
 */
export async function release(link: EtcdCalls, options: ReleaseOptions): Promise<ReleaseReply> {
  const { record, terms } = options;
  const isCurrent = record.begin();
  if (record.isReleased) return 'unlocked';
  for (;;) {
    const { held, trace } = await look(link, options);
    if (trace !== undefined) return trace.equals(TRACE.released) ? 'unlocked' : 'superseded';
    await assertNoTraceLost(link, record, held);
    if (!isCurrent()) return 'superseded';
    if (held === undefined) return 'not_found';
    if (!isNamed(held, terms)) return 'held_by_other';
    if (await releaseRead(link, options, held)) return 'unlocked';
    // It was renewed or ended since it was read.
  }
}

async function look(link: EtcdCalls, { keys, terms }: ReleaseOptions) {
  const { responses } = await link.call(link.api.txn, {
    compare: [],
    success: [
      { requestRange: { key: keys.lock(terms.key) } },
      { requestRange: { key: keys.trace(terms.key, terms.attempt.id) } },
    ],
  });
  const [lock, trace] = responses.map(({ responseRange }) => responseRange?.kvs[0]);
  return { held: lock, trace: trace?.value };
}

function isNamed(held: KeyValue, { owner, fencingToken }: ReleaseTerms): boolean {
  const isToken = fencingToken === undefined || held.createRevision === String(fencingToken);
  return isToken && (owner === undefined || parseValue(held.value).owner === owner);
}

async function releaseRead(
  link: EtcdCalls,
  options: ReleaseOptions,
  { createRevision, lease }: KeyValue,
): Promise<boolean> {
  const { record } = options;
  const grant = { createRevision, lease };
  const isReleased = await deleteGrant(link, options, { ...grant, hasTrace: true }).catch(
    (error: unknown) => {
      if (!isOutOfSpace(error)) throw error;
      return deleteGrant(link, options, { ...grant, hasTrace: false });
    },
  );
  if (!isReleased) return false;
  record.isReleased = true;
  record.openReleases.clear();
  if (lease !== '0') dropLease(link, lease);
  return true;
}

/** Deletes a lock if it is still the grant that was read. */
async function deleteGrant(
  link: EtcdCalls,
  { keys, terms, record }: ReleaseOptions,
  open: OpenRelease,
): Promise<boolean> {
  const key = keys.lock(terms.key);
  const trace = keys.trace(terms.key, terms.attempt.id);
  const leaveTrace = { requestPut: { key: trace, value: TRACE.released, lease: open.lease } };
  record.openReleases.add(open);
  try {
    const { succeeded } = await link.call(link.api.txn, {
      compare: [...toCompare(key, open), { key: trace, target: 'CREATE', createRevision: '0' }],
      success: [{ requestDeleteRange: { key } }, ...(open.hasTrace ? [leaveTrace] : [])],
    });
    record.openReleases.delete(open);
    return succeeded;
  } catch (error) {
    if (link.explain(error).error.outcome === 'not-applied') record.openReleases.delete(open);
    throw error;
  }
}

/** Names one grant under one lease. */
export function toCompare(key: Buffer, { createRevision, lease }: OpenRelease): Compare[] {
  return [
    { key, target: 'CREATE', createRevision },
    { key, target: 'LEASE', lease },
  ];
}

/**
 * An unanswered release has left a trace if it has taken effect, unless the lease of the trace is
 * over, too. Then it is not known who has ended the grant.
 */
async function assertNoTraceLost(
  link: EtcdCalls,
  record: AttemptRecord,
  held: KeyValue | undefined,
): Promise<void> {
  for (const open of record.openReleases) {
    // It can't have taken effect, as the grant still stands.
    if (held?.createRevision === open.createRevision) continue;
    if (!open.hasTrace || (await readLease(link, open.lease)) === undefined) {
      throw new StoreError(
        'the lock ended before etcd replied, by this call or by itself: the outcome is unknown',
        { kind: 'rejected', outcome: 'unknown' },
      );
    }
    record.openReleases.delete(open);
  }
}
