import type { TryLockCall, UnlockCall } from '../../lock/lock-store';
import type { RenewCall } from '../../lock/store-abilities';
import type { SendStamp } from '../attempts/send-log';
import { acquireScript, renewScript } from './lease-scripts';
import type { RedisClient } from './redis-link';
import { REPLY } from './redis-script';
import { plainReleaseScript, releaseScript, withdrawScript } from './release-scripts';
import { listOr, noAnswer, oneOf, toNumber } from './replies';
import { evalWhole, ScriptRunner } from './script-runner';
import { toCompanionKey, toMarkerKey, toQueueKey } from './side-keys';

const { acquired, refused, unlocked, notFound, heldByOther, stale, superseded, exhausted } = REPLY;

/** A grant as a script answers it. */
export interface Granted {
  readonly fencingToken: number;
}

/** A renewal as a script answers it. */
export interface Renewed extends Granted {
  /** What is left of the lease, in milliseconds; -1 where it doesn't end. */
  readonly leftMs: number;
}

const granted = {
  head: acquired,
  read: ([token]: readonly unknown[]): Granted => ({ fencingToken: toNumber(token) }),
};
const renewed = {
  head: REPLY.renewed,
  read: ([token, left]: readonly unknown[]): Renewed => ({
    fencingToken: toNumber(token),
    leftMs: toNumber(left),
  }),
};

/** Reads the reply to an acquire; a bare `acquired` is that of a version without tokens. */
export const readAcquire = listOr(granted, acquired, refused, stale, superseded, exhausted);
const readRenew = listOr(renewed, notFound, heldByOther, stale);
const readRelease = oneOf(unlocked, notFound, heldByOther, stale, superseded);
const readPlainRelease = oneOf(unlocked, notFound, heldByOther);
const readWithdraw = oneOf(REPLY.withdrawn, REPLY.nothingToWithdraw);

/** What an acquire may be answered with; see {@link REPLY}. */
export type AcquireReply = ReturnType<typeof readAcquire>;

/** What a renewal may be answered with. */
export type RenewReply = ReturnType<typeof readRenew>;

/** What a release may be answered with. */
export type ReleaseReply = ReturnType<typeof readRelease>;

/** What a withdrawal may be answered with. */
export type WithdrawReply = ReturnType<typeof readWithdraw>;

/** Which grant a release is about. */
export interface ReleaseTerms extends Pick<UnlockCall, 'key' | 'attempt'> {
  /** Left out where any owner's lock is released. */
  readonly owner?: string | undefined;
  /** Left out where any grant of the owner is meant; 0 for one without a token. */
  readonly fencingToken?: number | undefined;
  /** When the lease ends, on the server's clock; 0 where it doesn't; left out where that is of no matter. */
  readonly expiresAtMs?: number | undefined;
}

/** What is undone. */
export interface WithdrawTerms extends Pick<UnlockCall, 'key' | 'attempt'> {
  readonly owner?: string | undefined;
  /** The attempt's ticket, where it may have one. */
  readonly ticket?: string | undefined;
}

/**
 * The commands of a lock call, one each, as Redis gets them. With a stamp they are scripts that can be
 * repeated; without one, for a user who may not ask Redis for the time, they are what daprd sends.
 *
 * Each is written before it returns. It rejects with what node-redis says, or with a StoreError of kind
 * `protocol` where Redis answers what is no answer.
 */
export class LockCommands {
  readonly #scripts = new ScriptRunner();

  /** The keys of a call, as the scripts take them: lock, companion, marker, queue. */
  keysOf({ key, attempt }: Pick<UnlockCall, 'key' | 'attempt'>): string[] {
    return [key, toCompanionKey(key), toMarkerKey(key, attempt.id), toQueueKey(key)];
  }

  /** Takes a lock. */
  acquire(client: RedisClient, call: TryLockCall, stamp?: SendStamp): Promise<AcquireReply> {
    if (stamp === undefined) return plainAcquire(client, call);
    return this.#scripts.run(client, {
      script: acquireScript,
      read: readAcquire,
      keys: this.keysOf(call),
      args: [
        call.owner,
        call.attempt.id,
        String(call.ttlMs),
        String(stamp.notAfterMs),
        String(stamp.number),
        String(stamp.markUntilMs),
      ],
    });
  }

  /** Prolongs a lease. */
  renew(client: RedisClient, call: RenewCall, { notAfterMs }: SendStamp): Promise<RenewReply> {
    const { key, owner, ttlMs, fencingToken } = call;
    return this.#scripts.run(client, {
      script: renewScript,
      read: readRenew,
      keys: [key, toCompanionKey(key)],
      args: [owner, String(ttlMs), String(notAfterMs), textOf(fencingToken)],
    });
  }

  /** Releases a lock. Without a stamp by owner alone: whoever names a grant has none then. */
  release(client: RedisClient, terms: ReleaseTerms, stamp?: SendStamp): Promise<ReleaseReply> {
    const { key, owner = '', fencingToken, expiresAtMs } = terms;
    if (stamp === undefined) {
      return this.#scripts.run(client, {
        script: plainReleaseScript,
        read: readPlainRelease,
        keys: [key],
        args: [owner],
      });
    }
    const numbers = [stamp.notAfterMs, stamp.number, stamp.markUntilMs, fencingToken, expiresAtMs];
    return this.#scripts.run(client, {
      script: releaseScript,
      read: readRelease,
      keys: this.keysOf(terms),
      args: [owner, ...numbers.map(textOf)],
    });
  }

  /** Undoes an attempt. */
  withdraw(client: RedisClient, terms: WithdrawTerms, markUntilMs: number): Promise<WithdrawReply> {
    const { owner = '', attempt, ticket = '' } = terms;
    // By its text and not by its hash: a NOSCRIPT would cost it its place before new calls.
    return evalWhole(client, {
      script: withdrawScript,
      read: readWithdraw,
      keys: this.keysOf(terms),
      args: [owner, attempt.id, String(markUntilMs), ticket],
    });
  }
}

/** What is left out is any. */
function textOf(number: number | undefined): string {
  return number === undefined ? '' : String(number);
}

/** daprd's own command but for the unit of the expiry. */
async function plainAcquire(client: RedisClient, call: TryLockCall): Promise<AcquireReply> {
  const reply = await client.set(call.key, call.owner, {
    condition: 'NX',
    expiration: { type: 'PX', value: call.ttlMs },
  });
  if (reply === 'OK') return acquired;
  if (reply === null) return refused;
  throw noAnswer(reply);
}
