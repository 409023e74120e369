import type { Attempt } from '../../lock/attempt';
import {
  StoreError,
  type TryLockCall,
  type TryLockResult,
  type UnlockOutcome,
} from '../../lock/lock-store';
import type { Command, Undo, Verdict } from '../attempts/command';
import type { SendStamp } from '../attempts/send-log';
import { toValidUntil } from './lease-end';
import type {
  AcquireReply,
  LockCommands,
  ReleaseReply,
  ReleaseTerms,
  WithdrawReply,
  WithdrawTerms,
} from './lock-commands';
import type { RedisLink } from './redis-link';
import { REPLY } from './redis-script';
import { withoutTime } from './unsupported';

/**
 * The meaning of the replies to a release. If it finds no lock, a lost send of the same release may
 * have released it.
 */
const RELEASE_VERDICTS: Readonly<Record<ReleaseReply, Verdict<UnlockOutcome>>> = {
  [REPLY.unlocked]: { answer: 'unlocked' },
  [REPLY.notFound]: { answer: 'not_found', needsTraces: true },
  [REPLY.heldByOther]: { answer: 'held_by_other', needsTraces: true },
  [REPLY.stale]: 'stale',
  [REPLY.superseded]: 'superseded',
};

/** A TryLock as it is sent to Redis. */
export class TryLock implements Command<RedisLink, AcquireReply, TryLockResult> {
  readonly key: string;
  readonly attempt: Attempt;
  readonly leaseMs: number;
  readonly #commands: LockCommands;
  readonly #call: TryLockCall;

  constructor(commands: LockCommands, call: TryLockCall) {
    this.key = call.key;
    this.attempt = call.attempt;
    this.leaseMs = call.ttlMs;
    this.#commands = commands;
    this.#call = call;
  }

  send({ client }: RedisLink, stamp: SendStamp | undefined): Promise<AcquireReply> {
    return this.#commands.acquire(client, this.#call, stamp);
  }

  judge(reply: AcquireReply, sentAtMs: number): Verdict<TryLockResult> {
    const validUntilMs = toValidUntil(sentAtMs, this.leaseMs);
    if (typeof reply === 'object') {
      const grant = { fencingToken: reply.fencingToken, validUntilMs };
      return { answer: { acquired: true, grant }, validUntilMs };
    }
    switch (reply) {
      case REPLY.acquired:
        return { answer: { acquired: true }, validUntilMs };
      case REPLY.refused:
        return { answer: { acquired: false } };
      case REPLY.stale:
        return 'stale';
      case REPLY.superseded:
        return 'superseded';
      case REPLY.exhausted:
        throw noTokenLeft();
    }
  }
}

/** A release as it is sent to Redis: an Unlock, the release of one grant, or a forced release. */
export class Release implements Command<RedisLink, ReleaseReply, UnlockOutcome> {
  readonly key: string;
  readonly attempt: Attempt;
  readonly #commands: LockCommands;
  readonly #terms: ReleaseTerms;

  constructor(commands: LockCommands, terms: ReleaseTerms) {
    this.key = terms.key;
    this.attempt = terms.attempt;
    this.#commands = commands;
    this.#terms = terms;
  }

  send({ client }: RedisLink, stamp: SendStamp | undefined): Promise<ReleaseReply> {
    const { owner, fencingToken } = this.#terms;
    // Without a stamp, a lock is released by its owner alone, and an owner does not identify a grant.
    const namesGrant = owner === undefined || fencingToken !== undefined;
    if (stamp === undefined && namesGrant) return Promise.reject(withoutTime());
    return this.#commands.release(client, this.#terms, stamp);
  }

  judge(reply: ReleaseReply): Verdict<UnlockOutcome> {
    return RELEASE_VERDICTS[reply];
  }
}

/** Creates the undoing of a call. `ttlMs` is the lease that the call may have been granted. */
export function toUndo(
  commands: LockCommands,
  terms: WithdrawTerms & { readonly ttlMs?: number },
): Undo<RedisLink> {
  const { key, attempt, ttlMs } = terms;
  const send = ({ client }: RedisLink, markUntilMs: number): Promise<WithdrawReply> =>
    commands.withdraw(client, terms, markUntilMs);
  return ttlMs === undefined ? { key, attempt, send } : { key, attempt, leaseMs: ttlMs, send };
}

/**
 * The error of a call that needs a new token when there is no higher one, because somebody has
 * changed the counter by hand.
 */
export function noTokenLeft(): StoreError {
  const message = 'Redis has no higher fencing token left: its last one is 2^53-1';
  return new StoreError(message, { kind: 'rejected', outcome: 'not-applied' });
}
