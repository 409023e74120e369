import type { TryLockCall } from '../../lock/lock-store';
import type { Grant } from '../../lock/store-abilities';
import type { AttemptRecord } from './attempt-record';
import type { KeyValue, Operation, TxnRequest, TxnResponse } from './etcd-api';
import { isLeaseNotFound } from './etcd-errors';
import { type EtcdKeys, type KeyRange, parseValue, toValue } from './etcd-keys';
import {
  dropLease,
  type EtcdLease,
  grantLease,
  readLease,
  revokeLease,
  toToken,
} from './etcd-leases';
import type { EtcdCalls } from './etcd-link';

/** The inputs of an acquire. */
export interface TakeTerms {
  readonly keys: EtcdKeys;
  readonly call: TryLockCall;
  readonly record: AttemptRecord;
}

/** A lock as it was found. */
export interface Found {
  /** The holder. Undefined if the lock is free. */
  readonly held: KeyValue | undefined;
  /** The number of tickets that have precedence. */
  readonly ahead: number;
  /** The revision of the store at that moment. */
  readonly revision: string;
}

/**
 * The outcome of an acquire. `superseded` means that a later send of the attempt, or its
 * withdrawal, came first; nothing was changed.
 */
export type TakeReply = { readonly grant: Grant } | { readonly refused: Found } | 'superseded';

/**
 * Takes a lock if it is free and nobody has precedence. docs/decisions/0018 says why in this order.
 * Rejects as calls do.
 */
export async function take(link: EtcdCalls, terms: TakeTerms): Promise<TakeReply> {
  const { call, record } = terms;
  const isCurrent = record.begin();
  for (;;) {
    const found = await look(link, terms);
    const { held, ahead } = found;
    if (held !== undefined && parseValue(held.value).attemptId === call.attempt.id) {
      const grant = await recognise(link, held, record);
      if (grant !== undefined) return { grant };
      // The lease has just ended, and its keys are about to be deleted.
      continue;
    }
    await revokeEarlier(link, record);
    if (!isCurrent()) return 'superseded';
    if (held !== undefined || ahead > 0) return { refused: found };
    const reply = await takeFree(link, terms, isCurrent);
    if (reply !== undefined) return reply;
  }
}

/** Reads a lock, and how many have precedence: those before the attempt's ticket, if it has one. */
async function look(link: EtcdCalls, { keys, call, record }: TakeTerms): Promise<Found> {
  const found = await link.call(link.api.txn, {
    compare: [],
    success: [
      { requestRange: { key: keys.lock(call.key) } },
      { requestRange: { ...toPrecedence(keys, call.key, record.ticket), countOnly: true } },
    ],
  });
  return toFound(found);
}

function toFound({ header, responses }: TxnResponse): Found {
  const [lock, queue] = responses;
  return {
    held: lock?.responseRange?.kvs[0],
    ahead: Number(queue?.responseRange?.count ?? 0),
    revision: header.revision,
  };
}

/** The tickets before a ticket, or all of them. */
export function toPrecedence(keys: EtcdKeys, name: string, ticket: Buffer | undefined): KeyRange {
  const { key, rangeEnd } = keys.queue(name);
  return { key, rangeEnd: ticket ?? rangeEnd };
}

/**
 * The grant of an earlier send. It is left as it is, because a renewal may have prolonged it.
 * Undefined if its lease is over.
 */
async function recognise(
  link: EtcdCalls,
  held: KeyValue,
  record: AttemptRecord,
): Promise<Grant | undefined> {
  await revokeEarlier(link, record, held.lease);
  const lease = record.leases.get(held.lease) ?? (await readLease(link, held.lease));
  if (lease === undefined || lease.validUntilMs <= performance.now()) {
    // Known from the grant, but over by our clock: etcd knows whether a new leader has begun it anew.
    const left = await readLease(link, held.lease);
    if (left === undefined) return undefined;
    return { fencingToken: toToken(held.createRevision), validUntilMs: left.validUntilMs };
  }
  return { fencingToken: toToken(held.createRevision), validUntilMs: lease.validUntilMs };
}

/** After this, no earlier send can take the lock any more. */
async function revokeEarlier(
  link: EtcdCalls,
  record: AttemptRecord,
  except?: string,
): Promise<void> {
  const earlier = [...record.leases.keys()].filter((id) => id !== except);
  await Promise.all(
    earlier.map(async (id) => {
      await revokeLease(link, id);
      record.leases.delete(id);
    }),
  );
}

/** Undefined if the new lease ended before the lock could be taken with it. */
async function takeFree(
  link: EtcdCalls,
  terms: TakeTerms,
  isCurrent: () => boolean,
): Promise<TakeReply | undefined> {
  const { call, record } = terms;
  const lease = await grantLease(link, call.ttlMs);
  // Only now: the attempt may have been withdrawn while the lease was under way.
  if (!isCurrent()) {
    dropLease(link, lease.id);
    return 'superseded';
  }
  record.leases.set(lease.id, lease);
  const answer = await sendTake(link, terms, lease);
  if (answer?.succeeded === true) {
    const { validUntilMs } = lease;
    return { grant: { fencingToken: toToken(answer.header.revision), validUntilMs } };
  }
  record.leases.delete(lease.id);
  dropLease(link, lease.id);
  return answer && { refused: toFound(answer) };
}

/** Undefined if there is no such lease any more. */
async function sendTake(
  link: EtcdCalls,
  terms: TakeTerms,
  lease: EtcdLease,
): Promise<TxnResponse | undefined> {
  try {
    return await link.call(link.api.txn, toTxn(terms, lease));
  } catch (error) {
    if (isLeaseNotFound(error)) return undefined;
    if (link.explain(error).error.outcome === 'not-applied') {
      terms.record.leases.delete(lease.id);
      dropLease(link, lease.id);
    }
    throw error;
  }
}

function toTxn({ keys, call, record }: TakeTerms, { id }: EtcdLease): TxnRequest {
  const { ticket } = record;
  const key = keys.lock(call.key);
  const value = toValue({ attemptId: call.attempt.id, owner: call.owner });
  const precedence = toPrecedence(keys, call.key, ticket);
  const leave: Operation[] = ticket === undefined ? [] : [{ requestDeleteRange: { key: ticket } }];
  return {
    compare: [
      { key, target: 'CREATE', createRevision: '0' },
      // True if the range has no key: each of its keys would have a higher create revision.
      { ...precedence, target: 'CREATE', createRevision: '0' },
    ],
    success: [{ requestPut: { key, value, lease: id } }, ...leave],
    failure: [{ requestRange: { key } }, { requestRange: { ...precedence, countOnly: true } }],
  };
}
