import { isNoPermission, isNoScript, isUnknownCommand } from './redis-errors';
import type { RedisClient } from './redis-link';
import type { ReplyReader } from './replies';
import type { RedisScript } from './redis-script';

/** One run of a script. */
export interface ScriptCall<Reply> {
  readonly script: RedisScript;
  readonly keys: string[];
  readonly args: string[];
  readonly read: ReplyReader<Reply>;
}

/**
 * Runs scripts by their hash. Redis forgets scripts on a restart and on SCRIPT FLUSH, and says so
 * without having run anything: then the script goes over whole, which also makes Redis know it
 * again. Where EVALSHA may not be run, or is not there, every script goes over whole, as daprd's does.
 */
export class ScriptRunner {
  #hashesAllowed = true;

  /** Runs a script; written before this returns. Rejects with what node-redis or the reader says. */
  run<Reply>(client: RedisClient, call: ScriptCall<Reply>): Promise<Reply> {
    if (!this.#hashesAllowed) return evalWhole(client, call);
    const { script, keys, args, read } = call;
    return client.evalSha(script.sha1, { keys, arguments: args }).then(read, (error: unknown) => {
      if (isNoPermission(error) || isUnknownCommand(error)) this.#hashesAllowed = false;
      else if (!isNoScript(error)) throw error;
      return evalWhole(client, call);
    });
  }
}

/** Runs a script by its text: it is written at once, and no NOSCRIPT costs it its place before others. */
export function evalWhole<Reply>(
  client: RedisClient,
  { script, keys, args, read }: ScriptCall<Reply>,
): Promise<Reply> {
  return client.eval(script.source, { keys, arguments: args }).then(read);
}
