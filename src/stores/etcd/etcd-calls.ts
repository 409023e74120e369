import { type Attempt, createAttempt } from '../../lock/attempt';
import type { TryLockCall, UnlockOutcome } from '../../lock/lock-store';
import type { AcquireResult, RenewCall, RenewResult } from '../../lock/store-abilities';
import type { Command, Undo, Verdict } from '../attempts/command';
import type { AttemptRecords } from './attempt-record';
import { type EtcdKeys, toValue } from './etcd-keys';
import type { EtcdLink } from './etcd-link';
import { release, type ReleaseReply, type ReleaseTerms } from './release';
import { renew } from './renew';
import { take, type TakeReply } from './take';
import { withdrawRelease, withdrawTake } from './withdraw';

/** The parts that all calls of a store share. */
export interface CallContext {
  readonly keys: EtcdKeys;
  readonly records: AttemptRecords;
}

/**
 * How long the undoing of a call is tried without an answer, beyond its lease, in milliseconds. No
 * time is certain: leases end only while there is a leader, and a new one starts them anew.
 */
const UNDO_SLACK_MS = 600_000;

/** An acquire as it is sent to etcd. */
export class Take implements Command<EtcdLink, TakeReply, AcquireResult> {
  readonly key: string;
  readonly attempt: Attempt;
  readonly leaseMs: number;
  readonly #context: CallContext;
  readonly #call: TryLockCall;

  constructor(context: CallContext, call: TryLockCall) {
    this.key = call.key;
    this.attempt = call.attempt;
    this.leaseMs = call.ttlMs;
    this.#context = context;
    this.#call = call;
  }

  send(link: EtcdLink): Promise<TakeReply> {
    const { keys, records } = this.#context;
    return take(link, { keys, call: this.#call, record: records.of(this.attempt) });
  }

  judge(reply: TakeReply): Verdict<AcquireResult> {
    if (reply === 'superseded') return 'superseded';
    if ('refused' in reply) return { answer: { acquired: false } };
    const { grant } = reply;
    return { answer: { acquired: true, grant }, validUntilMs: grant.validUntilMs };
  }
}

/** A release as it is sent to etcd: an unlock, the release of one grant, or a forced release. */
export class Release implements Command<EtcdLink, ReleaseReply, UnlockOutcome> {
  readonly key: string;
  readonly attempt: Attempt;
  readonly #context: CallContext;
  readonly #terms: ReleaseTerms;

  constructor(context: CallContext, terms: ReleaseTerms) {
    this.key = terms.key;
    this.attempt = terms.attempt;
    this.#context = context;
    this.#terms = terms;
  }

  send(link: EtcdLink): Promise<ReleaseReply> {
    const { keys, records } = this.#context;
    return release(link, { keys, terms: this.#terms, record: records.of(this.attempt) });
  }

  judge(reply: ReleaseReply): Verdict<UnlockOutcome> {
    return reply === 'superseded' ? 'superseded' : { answer: reply };
  }
}

/** A renewal as it is sent to etcd. Each has its own attempt: there is nothing to undo. */
export class Renew implements Command<EtcdLink, RenewResult, RenewResult> {
  readonly key: string;
  readonly attempt: Attempt = createAttempt();
  readonly #keys: EtcdKeys;
  readonly #call: RenewCall;

  constructor({ keys }: CallContext, call: RenewCall) {
    this.key = call.key;
    this.#keys = keys;
    this.#call = call;
  }

  send(link: EtcdLink): Promise<RenewResult> {
    return renew(link, { keys: this.#keys, call: this.#call });
  }

  judge(reply: RenewResult): Verdict<RenewResult> {
    if (reply.status !== 'renewed') return { answer: reply };
    return { answer: reply, validUntilMs: reply.grant.validUntilMs };
  }
}

/** Creates the undoing of a call. From now on, nothing more is sent for the attempt. */
export function toUndo(
  { keys, records }: CallContext,
  call: ReleaseTerms & { readonly ttlMs?: number },
): Undo<EtcdLink> {
  const { key, attempt, ttlMs, owner } = call;
  const record = records.of(attempt);
  record.withdraw();
  const lock = keys.lock(key);
  const isTake = ttlMs !== undefined && owner !== undefined;
  const send = async (link: EtcdLink): Promise<void> => {
    if (isTake) {
      const value = toValue({ attemptId: attempt.id, owner });
      await withdrawTake(link, record, { key: lock, value, left: keys.left(attempt.id) });
    } else {
      await withdrawRelease(link, record, { key: lock, trace: keys.trace(key, attempt.id) });
    }
  };
  return { key, attempt, leaseMs: (ttlMs ?? 0) + UNDO_SLACK_MS, send };
}
