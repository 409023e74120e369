import type { Attempt } from '../../lock/attempt';
import type { AskCall, AskResult, Grant } from '../../lock/store-abilities';
import type { Command, Verdict } from '../attempts/command';
import type { AttemptRecord } from './attempt-record';
import type { TxnRequest } from './etcd-api';
import type { CallContext } from './etcd-calls';
import { isLeaseNotFound } from './etcd-errors';
import { readLease } from './etcd-leases';
import type { EtcdLink } from './etcd-link';
import { type Found, take, toPrecedence } from './take';

/**
 * The outcome of an ask. `lapsed` means that the session has ended: ask again in a new one.
 * `superseded` as for an acquire.
 */
export type AskReply =
  | { readonly grant: Grant }
  | { readonly ahead: number; readonly freeAtMs: number | undefined }
  | 'lapsed'
  | 'superseded';

/** An ask as it is sent to etcd. */
export class Ask implements Command<EtcdLink, AskReply, AskResult | 'lapsed'> {
  readonly key: string;
  readonly attempt: Attempt;
  readonly leaseMs: number;
  readonly #context: CallContext;
  readonly #call: AskCall;
  readonly #session: string;

  /** @param options `session` is the lease of the tickets */
  constructor(
    context: CallContext,
    { call, session }: { readonly call: AskCall; readonly session: string },
  ) {
    this.key = call.key;
    this.attempt = call.attempt;
    this.leaseMs = call.ttlMs;
    this.#context = context;
    this.#call = call;
    this.#session = session;
  }

  async send(link: EtcdLink): Promise<AskReply> {
    const { keys, records } = this.#context;
    const record = records.of(this.attempt);
    const reply = await take(link, { keys, call: this.#call, record });
    if (reply === 'superseded' || 'grant' in reply) return reply;
    // Not between sends: the withdrawal deletes the ticket that it knows of.
    if (record.isWithdrawn) return 'superseded';
    record.ticket ??= keys.ticket(this.key, reply.refused.revision, this.attempt.id);
    return this.#enter(link, reply.refused, record);
  }

  judge(reply: AskReply): Verdict<AskResult | 'lapsed'> {
    if (reply === 'superseded') return 'superseded';
    if (reply === 'lapsed') return { answer: 'lapsed' };
    if ('grant' in reply) {
      const { grant } = reply;
      const { validUntilMs } = grant;
      return { answer: { state: 'granted', grant }, validUntilMs, isSettled: true };
    }
    return { answer: { state: 'queued', ...reply }, isSettled: true };
  }

  /** Puts the ticket, unless it stands. */
  async #enter(link: EtcdLink, { held }: Found, record: AttemptRecord): Promise<AskReply> {
    const session = this.#session;
    record.openTickets.add(session);
    const [entered, left] = await Promise.all([
      link.call(link.api.txn, this.#toTxn(record.ticket ?? Buffer.alloc(0))),
      held === undefined ? undefined : readLease(link, held.lease),
    ]).catch((error: unknown) => {
      if (isLeaseNotFound(error)) return [undefined, undefined];
      throw error;
    });
    record.openTickets.delete(session);
    if (entered === undefined) return 'lapsed';
    const ahead = Number(entered.responses.at(-1)?.responseRange?.count ?? 0);
    return { ahead, freeAtMs: toFreeAt(held?.lease, left?.leftMs) };
  }

  #toTxn(ticket: Buffer): TxnRequest {
    const { keys } = this.#context;
    const lease = this.#session;
    const count = { requestRange: { ...toPrecedence(keys, this.key, ticket), countOnly: true } };
    const put = { requestPut: { key: ticket, value: Buffer.alloc(0), lease } };
    const left = keys.left(this.attempt.id);
    return {
      compare: [
        { key: left, target: 'CREATE', createRevision: '0' },
        { key: ticket, target: 'LEASE', result: 'NOT_EQUAL', lease },
      ],
      success: [put, count],
      failure: [count],
    };
  }
}

/** etcd rounds down to whole seconds, and an ask before the end is in vain. */
function toFreeAt(lease: string | undefined, leftMs: number | undefined): number | undefined {
  // Put by hand, without a lease: it does not end.
  if (lease === '0') return undefined;
  return leftMs === undefined ? performance.now() : performance.now() + leftMs + 1000;
}
