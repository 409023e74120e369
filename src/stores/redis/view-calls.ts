import { createHash } from 'node:crypto';

import type { ListCall, LockView } from '../../lock/store-abilities';
import type { RedisClient } from './redis-link';
import { noAnswer, toNumber, toText } from './replies';
import { ScriptRunner } from './script-runner';
import { byTag } from './by-tag';
import type { RedisScript } from './redis-script';
import { isSideKey, type SideKeySpelling, withTag } from './side-keys';
import { toViewScript } from './view-scripts';

/** The commands of views as Redis gets them. */
export class ViewCommands {
  readonly #scripts = new ScriptRunner();
  readonly #spelling: SideKeySpelling;
  readonly #view: RedisScript;

  constructor(spelling: SideKeySpelling) {
    this.#spelling = spelling;
    this.#view = toViewScript(spelling);
  }

  /** Reads locks, each at one moment. Omits free locks. */
  async view(client: RedisClient, keys: readonly string[]): Promise<readonly LockView[]> {
    const groups = [...byTag(keys, this.#spelling)].map(([tag, group]) =>
      this.#scripts.run(client, {
        script: this.#view,
        read: (raw) => readViews(raw, group),
        keys: [...group],
        args: withTag([], tag),
      }),
    );
    return (await Promise.all(groups)).flat().filter((view) => view !== undefined);
  }

  /**
   * Some of the lock keys with a prefix, and the cursor of the next part, which is '0' at the end.
   */
  async scan(
    client: RedisClient,
    { keyPrefix }: ListCall,
    { cursor, count }: { readonly cursor: string; readonly count: number },
  ): Promise<{ readonly keys: readonly string[]; readonly cursor: string }> {
    const options = { MATCH: `${toLiteral(keyPrefix)}*`, COUNT: count };
    const reply = await client.scan(cursor, options);
    const keys = reply.keys.filter((key) => !isSideKey(key) && !isForeign(key, keyPrefix));
    return { keys: [...new Set(keys)], cursor: reply.cursor };
  }
}

/**
 * Binds page tokens to their place: a cursor of SCAN is only valid for its server, database and
 * prefix.
 */
export class PageTokens {
  readonly #seal: string;

  /** @param place the server, database and prefix */
  constructor(place: readonly string[]) {
    this.#seal = createHash('sha256')
      .update(JSON.stringify(place))
      .digest('base64url')
      .slice(0, 22);
  }

  /** Creates the page token for a cursor. */
  write(cursor: string): string {
    return `${cursor}.${this.#seal}`;
  }

  /** The cursor of a page token. Undefined if the token is from another place. */
  read(pageToken: string): string | undefined {
    const [, cursor, seal] = /^(\d{1,20})\.([\w-]{22})$/.exec(pageToken) ?? [];
    return seal === this.#seal ? cursor : undefined;
  }
}

/** Escapes text for a pattern of Redis, so that it only matches itself. */
function toLiteral(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, '\\$&');
}

/** True if the rest of the key is not a resource: the key belongs to another app or component. */
function isForeign(key: string, keyPrefix: string): boolean {
  return key.slice(keyPrefix.length).includes('||');
}

function readViews(raw: unknown, keys: readonly string[]): (LockView | undefined)[] {
  if (!Array.isArray(raw) || raw.length !== keys.length) throw noAnswer(raw);
  return keys.map((key, index) => readView(key, (raw as unknown[])[index]));
}

function readView(key: string, raw: unknown): LockView | undefined {
  if (!Array.isArray(raw)) throw noAnswer(raw);
  if (raw.length === 0) return undefined;
  const [owner, token, left, ends, waiters] = raw as unknown[];
  const leftMs = toNumber(left);
  return {
    key,
    owner: toText(owner),
    fencingToken: toNumber(token),
    leftMs: leftMs < 0 ? undefined : leftMs,
    expiresAtMs: Math.max(0, toNumber(ends)),
    waiters: toNumber(waiters),
  };
}
