import { isNoPermission, isNoScript, isUnknownCommand } from './redis-errors';
import type { RedisClient } from './redis-link';
import type { RedisScript } from './scripts';

/** One run of a script. */
export interface ScriptCall {
  readonly script: RedisScript;
  readonly keys: string[];
  readonly args: string[];
}

/**
 * Runs scripts by their hash. Redis forgets scripts on a restart and on SCRIPT FLUSH, and says so
 * without having run anything: then the script goes over whole, which also makes Redis know it
 * again. Where EVALSHA may not be run, or is not there, every script goes over whole, as daprd's does.
 */
export class ScriptRunner {
  #hashesAllowed = true;

  /** Runs a script and gives its reply as it came. */
  run(client: RedisClient, call: ScriptCall): Promise<unknown> {
    if (!this.#hashesAllowed) return evalWhole(client, call);
    const { script, keys, args } = call;
    return client.evalSha(script.sha1, { keys, arguments: args }).catch((error: unknown) => {
      if (isNoPermission(error) || isUnknownCommand(error)) this.#hashesAllowed = false;
      else if (!isNoScript(error)) throw error;
      return evalWhole(client, call);
    });
  }
}

function evalWhole(client: RedisClient, { script, keys, args }: ScriptCall): Promise<unknown> {
  return client.eval(script.source, { keys, arguments: args });
}
