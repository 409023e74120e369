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
 * Runs scripts by their hash. Redis forgets scripts at a restart and on SCRIPT FLUSH, and reports
 * that before anything is run. The script is then sent by its text, which also makes Redis remember
 * it. If EVALSHA is forbidden or does not exist, every script is sent by its text, as daprd does.
 */
export class ScriptRunner {
  #hashesAllowed = true;

  /**
   * Runs a script. It is written before this returns. Rejects with the error of node-redis or of
   * the reader.
   */
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

/** Runs a script by its text. It is written at once, and no NOSCRIPT can delay it. */
export function evalWhole<Reply>(
  client: RedisClient,
  { script, keys, args, read }: ScriptCall<Reply>,
): Promise<Reply> {
  return client.eval(script.source, { keys, arguments: args }).then(read);
}
