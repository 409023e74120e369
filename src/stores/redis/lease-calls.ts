import { type Attempt, createAttempt } from '../../lock/attempt';
import { StoreError, type TryLockCall } from '../../lock/lock-store';
import type { AcquireResult, RenewCall, RenewResult } from '../../lock/store-abilities';
import type { Command, Verdict } from '../attempts/command';
import type { SendStamp } from '../attempts/send-log';
import { toValidUntil } from './lease-end';
import { TryLock } from './lock-calls';
import type { AcquireReply, LockCommands, RenewReply } from './lock-commands';
import type { RedisLink } from './redis-link';
import { REPLY } from './redis-script';
import { withoutTime } from './unsupported';

/** A try that must be granted with a token or not at all. */
export class Acquire implements Command<RedisLink, AcquireReply, AcquireResult> {
  readonly key: string;
  readonly attempt: Attempt;
  readonly leaseMs: number;
  readonly #try: TryLock;

  constructor(commands: LockCommands, call: TryLockCall) {
    this.key = call.key;
    this.attempt = call.attempt;
    this.leaseMs = call.ttlMs;
    this.#try = new TryLock(commands, call);
  }

  send(link: RedisLink, stamp: SendStamp | undefined): Promise<AcquireReply> {
    return stamp === undefined ? Promise.reject(withoutTime()) : this.#try.send(link, stamp);
  }

  judge(reply: AcquireReply, sentAtMs: number): Verdict<AcquireResult> {
    const verdict = this.#try.judge(reply, sentAtMs);
    if (typeof verdict === 'string') return verdict;
    const { acquired, grant } = verdict.answer;
    if (acquired && grant === undefined) throw withoutToken();
    return {
      ...verdict,
      answer: grant === undefined ? { acquired: false } : { acquired: true, grant },
    };
  }
}

/** The lock was taken, so the attempt has to be withdrawn. No script of this version replies so. */
function withoutToken(): StoreError {
  const message = 'Redis granted the lock without a fencing token, the outcome is unknown';
  return new StoreError(message, { kind: 'protocol', outcome: 'unknown' });
}

/**
 * A renewal as it is sent to Redis. It has its own attempt, so that each send gets a notAfter. A
 * repetition has no further effect, so there is nothing to recognise or to undo.
 */
export class Renew implements Command<RedisLink, RenewReply, RenewResult> {
  readonly key: string;
  readonly attempt: Attempt = createAttempt();
  readonly #commands: LockCommands;
  readonly #call: RenewCall;

  constructor(commands: LockCommands, call: RenewCall) {
    this.key = call.key;
    this.#commands = commands;
    this.#call = call;
  }

  send({ client }: RedisLink, stamp: SendStamp | undefined): Promise<RenewReply> {
    if (stamp === undefined) return Promise.reject(withoutTime());
    return this.#commands.renew(client, this.#call, stamp);
  }

  judge(reply: RenewReply, sentAtMs: number): Verdict<RenewResult> {
    if (typeof reply === 'object') {
      const { fencingToken, leftMs } = reply;
      // A lock that does not expire lasts at least as long as requested.
      const validUntilMs = toValidUntil(sentAtMs, leftMs < 0 ? this.#call.ttlMs : leftMs);
      return { answer: { status: 'renewed', grant: { fencingToken, validUntilMs } }, validUntilMs };
    }
    if (reply === REPLY.stale) return 'stale';
    return { answer: { status: reply === REPLY.notFound ? 'not_found' : 'held_by_other' } };
  }
}
