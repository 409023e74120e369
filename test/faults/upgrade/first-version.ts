import { readFileSync } from 'node:fs';
import path from 'node:path';

import type { TryLockCall, UnlockCall } from '../../../src/lock/lock-store';
import type { SendStamp } from '../../../src/stores/attempts/send-log';
import {
  type AcquireReply,
  LockCommands,
  type ReleaseReply,
  type WithdrawReply,
} from '../../../src/stores/redis/lock-commands';
import type { RedisClient } from '../../../src/stores/redis/redis-link';

/** The scripts as the first version sent them. They are never changed. */
const scriptOf = (name: string): string =>
  readFileSync(path.join(__dirname, 'first-version', `${name}.lua`), 'utf8');

const ACQUIRE = scriptOf('acquire');
const RELEASE = scriptOf('release');
const WITHDRAW = scriptOf('withdraw');

/**
 * The commands and keys of the first version, whose companions and markers have names that a lock
 * can have too. For runs in which it shares a Redis with the present one.
 */
export class FirstVersionCommands extends LockCommands {
  override keysOf({ key, attempt }: UnlockCall): [string, string, string] {
    return [key, `${key}||attempt`, `${key}||done||${attempt.id}`];
  }

  override acquire(
    client: RedisClient,
    call: TryLockCall,
    stamp?: SendStamp,
  ): Promise<AcquireReply> {
    if (stamp === undefined) return super.acquire(client, call);
    return this.#run(client, ACQUIRE, call, [
      call.owner,
      call.attempt.id,
      ...[call.ttlMs, stamp.notAfterMs, stamp.number, stamp.markUntilMs].map(String),
    ]);
  }

  override release(
    client: RedisClient,
    call: UnlockCall,
    stamp?: SendStamp,
  ): Promise<ReleaseReply> {
    if (stamp === undefined) return super.release(client, call);
    const numbers = [stamp.notAfterMs, stamp.number, stamp.markUntilMs].map(String);
    return this.#run(client, RELEASE, call, [call.owner, ...numbers]);
  }

  override withdraw(
    client: RedisClient,
    call: UnlockCall,
    markUntilMs: number,
  ): Promise<WithdrawReply> {
    const args = [call.owner, call.attempt.id, String(markUntilMs)];
    return this.#run(client, WITHDRAW, call, args);
  }

  async #run(
    client: RedisClient,
    script: string,
    call: UnlockCall,
    args: string[],
  ): Promise<never> {
    // The numbers that the commands are answered with have been the same since the first version.
    return (await client.eval(script, { keys: this.keysOf(call), arguments: args })) as never;
  }
}
