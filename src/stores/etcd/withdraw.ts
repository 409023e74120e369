import type { AttemptRecord } from './attempt-record';
import { isLeaseNotFound } from './etcd-errors';
import { revokeLease } from './etcd-leases';
import type { EtcdCalls } from './etcd-link';
import { toCompare, TRACE } from './release';

/** The traces that an acquire may have left in etcd. */
export interface TakeWithdrawal {
  /** The key of the lock, and the value that it has if the attempt holds it. */
  readonly key: Buffer;
  readonly value: Buffer;
  /** The mark of the attempt for a ticket that is still on its way. */
  readonly left: Buffer;
}

/**
 * Undoes an acquire: after this, none of its transactions can take effect, and its grant has ended,
 * even if a renewal has moved it to another lease.
 */
export async function withdrawTake(
  link: EtcdCalls,
  record: AttemptRecord,
  terms: TakeWithdrawal,
): Promise<void> {
  // No transaction was sent.
  if (!record.isOpen) return;
  const { key, value, left } = terms;
  const { ticket } = record;
  await Promise.all([
    ...[...record.leases.keys()].map((id) => revokeLease(link, id)),
    link.call(link.api.txn, {
      compare: [{ key, target: 'VALUE', value }],
      success: [{ requestDeleteRange: { key } }],
    }),
  ]);
  record.leases.clear();
  // Last, so that the next ticket finds the lock free.
  if (ticket !== undefined) await withdrawTicket(link, record, { ticket, left });
}

/**
 * Deletes a ticket. If one is still on its way, it finds a mark, which lives as long as the session
 * without which it can't be put.
 */
async function withdrawTicket(
  link: EtcdCalls,
  record: AttemptRecord,
  { ticket, left }: { readonly ticket: Buffer; readonly left: Buffer },
): Promise<void> {
  for (const lease of record.openTickets) {
    const mark = { requestPut: { key: left, value: Buffer.alloc(0), lease } };
    try {
      await link.call(link.api.txn, { compare: [], success: [mark] });
    } catch (error) {
      if (!isLeaseNotFound(error)) throw error;
    }
    record.openTickets.delete(lease);
  }
  const leave = { requestDeleteRange: { key: ticket } };
  await link.call(link.api.txn, { compare: [], success: [leave] });
}

/** Makes sure that no unanswered release takes effect any more. */
export async function withdrawRelease(
  link: EtcdCalls,
  record: AttemptRecord,
  { key, trace }: { readonly key: Buffer; readonly trace: Buffer },
): Promise<void> {
  const marks = [...record.openReleases].map(async (open) => {
    try {
      await link.call(link.api.txn, {
        compare: toCompare(key, open),
        success: [{ requestPut: { key: trace, value: TRACE.withdrawn, lease: open.lease } }],
      });
    } catch (error) {
      if (!isLeaseNotFound(error)) throw error;
    }
    record.openReleases.delete(open);
  });
  await Promise.all(marks);
}
