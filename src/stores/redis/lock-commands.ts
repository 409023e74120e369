import { StoreError, type TryLockCall, type UnlockCall } from '../../lock/lock-store';
import type { RedisClient } from './redis-link';
import { ScriptRunner } from './script-runner';
import { acquireScript, plainReleaseScript, releaseScript, REPLY, withdrawScript } from './scripts';
import type { SendStamp } from './send-log';
import { toCompanionKey, toMarkerKey } from './side-keys';

/** A reply that the scripts give: see {@link REPLY}. */
type Reply = (typeof REPLY)[keyof typeof REPLY];

/** What a plain release may be answered with. */
const RELEASE_REPLIES = [REPLY.unlocked, REPLY.notFound, REPLY.heldByOther];

/** What each command is answered with. */
const toAcquireReply = toReplyOf(REPLY.acquired, REPLY.refused, REPLY.stale, REPLY.superseded);
const toPlainReleaseReply = toReplyOf(...RELEASE_REPLIES);
const toReleaseReply = toReplyOf(...RELEASE_REPLIES, REPLY.stale, REPLY.superseded);
const toWithdrawReply = toReplyOf(REPLY.withdrawn, REPLY.nothingToWithdraw);

/**
 * The commands of a lock call, one each. With a stamp they are scripts that can be repeated;
 * without one, for a user who may not ask Redis for the time, they are what daprd sends.
 */
export class LockCommands {
  readonly #scripts = new ScriptRunner();

  /** The keys of a call, as the scripts take them. */
  keysOf({ key, attempt }: UnlockCall): [lock: string, companion: string, marker: string] {
    return [key, toCompanionKey(key), toMarkerKey(key, attempt.id)];
  }

  /** @throws {StoreError} of kind `protocol` where Redis answers what is no answer */
  acquire(client: RedisClient, call: TryLockCall, stamp?: SendStamp): Promise<Reply> {
    if (stamp === undefined) return plainAcquire(client, call);
    const reply = this.#scripts.run(client, {
      script: acquireScript,
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
    return reply.then(toAcquireReply);
  }

  /** @throws {StoreError} of kind `protocol` where Redis answers what is no answer */
  release(client: RedisClient, call: UnlockCall, stamp?: SendStamp): Promise<Reply> {
    if (stamp === undefined) {
      const keys = [call.key];
      const plain = { script: plainReleaseScript, keys, args: [call.owner] };
      return this.#scripts.run(client, plain).then(toPlainReleaseReply);
    }
    const reply = this.#scripts.run(client, {
      script: releaseScript,
      keys: this.keysOf(call),
      args: [call.owner, String(stamp.notAfterMs), String(stamp.number), String(stamp.markUntilMs)],
    });
    return reply.then(toReleaseReply);
  }

  /** Undoes an attempt; written before this returns. */
  async withdraw(client: RedisClient, call: UnlockCall, markUntilMs: number): Promise<Reply> {
    // By its text and not by its hash: a NOSCRIPT would cost it its place before new calls.
    const reply = await client.eval(withdrawScript.source, {
      keys: this.keysOf(call),
      arguments: [call.owner, call.attempt.id, String(markUntilMs)],
    });
    return toWithdrawReply(reply);
  }
}

/** daprd's own command but for the unit of the expiry. */
async function plainAcquire(client: RedisClient, call: TryLockCall): Promise<Reply> {
  const reply = await client.set(call.key, call.owner, {
    condition: 'NX',
    expiration: { type: 'PX', value: call.ttlMs },
  });
  if (reply === 'OK') return REPLY.acquired;
  if (reply === null) return REPLY.refused;
  throw noAnswer(reply);
}

/** Makes the check of a command's replies, made once and not a call. */
function toReplyOf(...allowed: readonly Reply[]): (reply: unknown) => Reply {
  return (reply) => {
    if (!(allowed as readonly unknown[]).includes(reply)) throw noAnswer(reply);
    return reply as Reply;
  };
}

function noAnswer(reply: unknown): StoreError {
  return new StoreError(`Redis answered what is no answer to a lock command (${typeof reply})`, {
    kind: 'protocol',
    outcome: 'unknown',
  });
}
