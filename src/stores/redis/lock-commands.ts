import type { TryLockCall, UnlockCall } from '../../lock/lock-store';
import type { SendStamp } from '../attempts/send-log';
import type { RedisClient } from './redis-link';
import { noAnswer, oneOf } from './replies';
import { evalWhole, ScriptRunner } from './script-runner';
import { acquireScript, plainReleaseScript, releaseScript, REPLY, withdrawScript } from './scripts';
import { toCompanionKey, toMarkerKey } from './side-keys';

const { acquired, refused, unlocked, notFound, heldByOther, stale, superseded } = REPLY;

const readAcquire = oneOf(acquired, refused, stale, superseded);
const readRelease = oneOf(unlocked, notFound, heldByOther, stale, superseded);
const readPlainRelease = oneOf(unlocked, notFound, heldByOther);
const readWithdraw = oneOf(REPLY.withdrawn, REPLY.nothingToWithdraw);

/** What an acquire may be answered with; see {@link REPLY}. */
export type AcquireReply = ReturnType<typeof readAcquire>;

/** What a release may be answered with. */
export type ReleaseReply = ReturnType<typeof readRelease>;

/** What a withdrawal may be answered with. */
export type WithdrawReply = ReturnType<typeof readWithdraw>;

/**
 * The commands of a lock call, one each, as Redis gets them. With a stamp they are scripts that can be
 * repeated; without one, for a user who may not ask Redis for the time, they are what daprd sends.
 *
 * Each is written before it returns. It rejects with what node-redis says, or with a StoreError of kind
 * `protocol` where Redis answers what is no answer.
 */
export class LockCommands {
  readonly #scripts = new ScriptRunner();

  /** The keys of a call, as the scripts take them. */
  keysOf({ key, attempt }: UnlockCall): [lock: string, companion: string, marker: string] {
    return [key, toCompanionKey(key), toMarkerKey(key, attempt.id)];
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

  /** Releases a lock. */
  release(client: RedisClient, call: UnlockCall, stamp?: SendStamp): Promise<ReleaseReply> {
    if (stamp === undefined) {
      return this.#scripts.run(client, {
        script: plainReleaseScript,
        read: readPlainRelease,
        keys: [call.key],
        args: [call.owner],
      });
    }
    return this.#scripts.run(client, {
      script: releaseScript,
      read: readRelease,
      keys: this.keysOf(call),
      args: [call.owner, String(stamp.notAfterMs), String(stamp.number), String(stamp.markUntilMs)],
    });
  }

  /** Undoes an attempt. */
  withdraw(client: RedisClient, call: UnlockCall, markUntilMs: number): Promise<WithdrawReply> {
    // By its text and not by its hash: a NOSCRIPT would cost it its place before new calls.
    return evalWhole(client, {
      script: withdrawScript,
      read: readWithdraw,
      keys: this.keysOf(call),
      args: [call.owner, call.attempt.id, String(markUntilMs)],
    });
  }
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
