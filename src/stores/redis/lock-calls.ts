import type { Attempt } from '../../lock/attempt';
import type { TryLockCall, TryLockResult, UnlockCall, UnlockOutcome } from '../../lock/lock-store';
import type { Command, Undo, Verdict } from '../attempts/command';
import type { SendStamp } from '../attempts/send-log';
import type { AcquireReply, LockCommands, ReleaseReply, WithdrawReply } from './lock-commands';
import type { RedisLink } from './redis-link';
import { REPLY } from './scripts';

/** What the replies to an acquire mean. */
const ACQUIRE_VERDICTS: Readonly<Record<AcquireReply, Verdict<TryLockResult>>> = {
  [REPLY.acquired]: { answer: { acquired: true }, isGrant: true },
  [REPLY.refused]: { answer: { acquired: false } },
  [REPLY.stale]: 'stale',
  [REPLY.superseded]: 'superseded',
};

/** What the replies to a release mean. One that finds nothing may have released it by a lost send. */
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

  judge(reply: AcquireReply): Verdict<TryLockResult> {
    return ACQUIRE_VERDICTS[reply];
  }
}

/** An Unlock as it is sent to Redis. */
export class Unlock implements Command<RedisLink, ReleaseReply, UnlockOutcome> {
  readonly key: string;
  readonly attempt: Attempt;
  readonly #commands: LockCommands;
  readonly #call: UnlockCall;

  constructor(commands: LockCommands, call: UnlockCall) {
    this.key = call.key;
    this.attempt = call.attempt;
    this.#commands = commands;
    this.#call = call;
  }

  send({ client }: RedisLink, stamp: SendStamp | undefined): Promise<ReleaseReply> {
    return this.#commands.release(client, this.#call, stamp);
  }

  judge(reply: ReleaseReply): Verdict<UnlockOutcome> {
    return RELEASE_VERDICTS[reply];
  }
}

/** How a TryLock or an Unlock is undone. */
export function toUndo(commands: LockCommands, call: TryLockCall | UnlockCall): Undo<RedisLink> {
  const { key, attempt } = call;
  const send = ({ client }: RedisLink, markUntilMs: number): Promise<WithdrawReply> =>
    commands.withdraw(client, call, markUntilMs);
  return 'ttlMs' in call ? { key, attempt, leaseMs: call.ttlMs, send } : { key, attempt, send };
}
