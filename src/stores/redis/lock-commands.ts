import type { TryLockCall, UnlockCall } from '../../lock/lock-store';
import type { RenewCall } from '../../lock/store-abilities';
import type { SendStamp } from '../attempts/send-log';
import { toAcquireScript, toRenewScript } from './lease-scripts';
import type { RedisClient } from './redis-link';
import { REPLY, type RedisScript } from './redis-script';
import { plainReleaseScript, toReleaseScript, toWithdrawScript } from './release-scripts';
import { listOr, noAnswer, oneOf, toNumber } from './replies';
import { evalWhole, ScriptRunner } from './script-runner';
import {
  PLAIN_SPELLING,
  type SideKeySpelling,
  toCompanionKey,
  toMarkerKey,
  toQueueKey,
  withTag,
} from './side-keys';

const { acquired, refused, unlocked, notFound, heldByOther, stale, superseded, exhausted } = REPLY;

/** A grant in a script's reply. */
export interface Granted {
  readonly fencingToken: number;
}

/** A renewal in a script's reply. */
export interface Renewed extends Granted {
  /** Remaining time of the lease, in milliseconds; -1 if it does not expire. */
  readonly leftMs: number;
}

const renewed = {
  head: REPLY.renewed,
  read: ([token, left]: readonly unknown[]): Renewed => ({
    fencingToken: toNumber(token),
    leftMs: toNumber(left),
  }),
};

const readTaken = oneOf(acquired, refused, stale, superseded, exhausted);

/** Reads the reply to an acquire: a token, or a number. `acquired` is the reply of daprd's own command. */
export const readAcquire = (raw: unknown): Granted | ReturnType<typeof readTaken> =>
  typeof raw === 'string' ? { fencingToken: toNumber(raw) } : readTaken(raw);
const readRenew = listOr(renewed, notFound, heldByOther, stale);
const readRelease = oneOf(unlocked, notFound, heldByOther, stale, superseded);
const readPlainRelease = oneOf(unlocked, notFound, heldByOther);
const readWithdraw = oneOf(REPLY.withdrawn, REPLY.nothingToWithdraw);

/** How long a marker outlives the last send of its attempt, in milliseconds. */
const MARKER_SLACK_MS = 10;

/** The replies to an acquire; see {@link REPLY}. */
export type AcquireReply = ReturnType<typeof readAcquire>;

/** The replies to a renewal. */
export type RenewReply = ReturnType<typeof readRenew>;

/** The replies to a release. */
export type ReleaseReply = ReturnType<typeof readRelease>;

/** The replies to a withdrawal. */
export type WithdrawReply = ReturnType<typeof readWithdraw>;

/** The grant that a release names. */
export interface ReleaseTerms extends Pick<UnlockCall, 'key' | 'attempt'> {
  /** Omitted for any owner. */
  readonly owner?: string | undefined;
  /** Omitted for any grant of the owner; 0 for a grant without a token. */
  readonly fencingToken?: number | undefined;
  /**
   * The end of the lease on the server's clock; 0 if it does not expire. Omitted if any end will
   * do.
   */
  readonly expiresAtMs?: number | undefined;
}

/** The call to be undone. */
export interface WithdrawTerms extends Pick<UnlockCall, 'key' | 'attempt'> {
  readonly owner?: string | undefined;
  /** The attempt's ticket, if it may have one. */
  readonly ticket?: string | undefined;
}

/**
 * The commands of lock calls as Redis gets them. With a stamp, a command is a script that can be
 * repeated. Without one, for a user who may not run TIME, it is the command that daprd sends.
 *
 * Each command is written before its method returns. It rejects with the error of node-redis, or
 * with a StoreError of kind `protocol` if the reply is unexpected.
 */
export class LockCommands {
  readonly #scripts = new ScriptRunner();
  readonly #spelling: SideKeySpelling;
  readonly #acquire: RedisScript;
  readonly #renew: RedisScript;
  readonly #release: RedisScript;
  readonly #withdraw: RedisScript;

  constructor(spelling: SideKeySpelling = PLAIN_SPELLING) {
    this.#spelling = spelling;
    this.#acquire = toAcquireScript(spelling);
    this.#renew = toRenewScript(spelling);
    this.#release = toReleaseScript(spelling);
    this.#withdraw = toWithdrawScript(spelling);
  }

  /** The keys of a call in the order of the scripts: lock, companion, marker, queue. */
  keysOf({ key, attempt }: Pick<UnlockCall, 'key' | 'attempt'>): string[] {
    const tag = this.#spelling.tagOf(key);
    const marker = toMarkerKey(key, attempt.id, tag);
    return [key, toCompanionKey(key, tag), marker, toQueueKey(key, tag)];
  }

  #tagged(key: string, args: string[]): string[] {
    return withTag(args, this.#spelling.tagOf(key));
  }

  /** Takes a lock. */
  acquire(client: RedisClient, call: TryLockCall, stamp?: SendStamp): Promise<AcquireReply> {
    if (stamp === undefined) return plainAcquire(client, call);
    return this.#scripts.run(client, {
      script: this.#acquire,
      read: readAcquire,
      keys: this.keysOf(call).slice(0, 3),
      args: this.#tagged(call.key, [
        call.owner,
        call.attempt.id,
        String(call.ttlMs),
        String(stamp.notAfterMs),
        String(stamp.number),
        String(stamp.markUntilMs),
      ]),
    });
  }

  /** Extends a lease. */
  renew(client: RedisClient, call: RenewCall, { notAfterMs }: SendStamp): Promise<RenewReply> {
    const { key, owner, ttlMs, fencingToken } = call;
    return this.#scripts.run(client, {
      script: this.#renew,
      read: readRenew,
      keys: [key, toCompanionKey(key, this.#spelling.tagOf(key))],
      args: this.#tagged(key, [owner, String(ttlMs), String(notAfterMs), textOf(fencingToken)]),
    });
  }

  /**
   * Releases a lock. Without a stamp, only the owner is compared, so the terms must not name a
   * grant.
   */
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
    const markerEndsAtMs = stamp.markUntilMs + MARKER_SLACK_MS;
    const numbers = [stamp.notAfterMs, stamp.number, markerEndsAtMs, fencingToken, expiresAtMs];
    return this.#scripts.run(client, {
      script: this.#release,
      read: readRelease,
      keys: this.keysOf(terms),
      args: this.#tagged(key, [owner, ...numbers.map(textOf)]),
    });
  }

  /** Undoes an attempt. */
  withdraw(client: RedisClient, terms: WithdrawTerms, markUntilMs: number): Promise<WithdrawReply> {
    const { owner = '', attempt, ticket = '' } = terms;
    // Sent by its text: after a NOSCRIPT, a second send would come behind new calls.
    return evalWhole(client, {
      script: this.#withdraw,
      read: readWithdraw,
      keys: this.keysOf(terms),
      args: this.#tagged(terms.key, [owner, attempt.id, String(markUntilMs), ticket]),
    });
  }
}

/** An omitted number is empty, which means any. */
function textOf(number: number | undefined): string {
  return number === undefined ? '' : String(number);
}

/** The same command as daprd's, apart from the unit of the expiry. */
async function plainAcquire(client: RedisClient, call: TryLockCall): Promise<AcquireReply> {
  const reply = await client.set(call.key, call.owner, {
    condition: 'NX',
    expiration: { type: 'PX', value: call.ttlMs },
  });
  if (reply === 'OK') return acquired;
  if (reply === null) return refused;
  throw noAnswer(reply);
}
