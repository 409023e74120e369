import type { CancelSignal } from '../../base/cancellation';
import { processClock } from '../../base/clock';
import type { UnlockOutcome } from '../../lock/lock-store';
import {
  type ForceReleaseCall,
  type ListCall,
  type LockPage,
  type LockView,
  type LockViews,
  PageTokenError,
} from '../../lock/store-abilities';
import { type RedisCalls, release } from './redis-leases';
import type { RedisLink } from './redis-link';
import { toSupported } from './unsupported';
import { PageTokens, ViewCommands } from './view-calls';

/**
 * How long locks are collected for a page, in milliseconds. If the prefix is rare among many keys,
 * pages are not full.
 */
const PAGE_WITHIN_MS = 250;

/**
 * How many keys Redis scans in one step, which takes it about 100 µs. Reading as many locks takes 1
 * ms.
 */
const KEYS_A_STEP = 100;

/** Views of the locks on a Redis. */
export class RedisViews implements LockViews {
  readonly #calls: RedisCalls;
  readonly #database: number;
  readonly #commands = new ViewCommands();

  constructor(calls: RedisCalls, database: number) {
    this.#calls = calls;
    this.#database = database;
  }

  async get(key: string, signal: CancelSignal): Promise<LockView | undefined> {
    const views = await this.#ask(signal, ({ client }) => this.#commands.view(client, [key]));
    return views[0];
  }

  async list(call: ListCall, signal: CancelSignal): Promise<LockPage> {
    const page = await this.#ask(signal, (link) => this.#list(link, call));
    if (page === undefined) throw new PageTokenError();
    return page;
  }

  forceRelease(call: ForceReleaseCall, signal: CancelSignal): Promise<UnlockOutcome> {
    const { key, attempt, grant } = call;
    return release(this.#calls, { key, attempt, ...grant }, signal);
  }

  /**
   * Reads a whole page over one link, because a cursor is only valid for its server. Undefined if
   * the page token is not from this server.
   */
  async #list(link: RedisLink, call: ListCall): Promise<LockPage | undefined> {
    const tokens = new PageTokens([...this.#placeOf(link), call.keyPrefix]);
    let cursor = call.pageToken === undefined ? '0' : tokens.read(call.pageToken);
    if (cursor === undefined) return undefined;
    const endsAtMs = processClock.now() + PAGE_WITHIN_MS;
    const locks = new Map<string, LockView>();
    let count = KEYS_A_STEP;
    let isLast = false;
    do {
      const step = await this.#commands.scan(link.client, call, { cursor, count });
      const views = await this.#commands.view(link.client, step.keys);
      if (locks.size + views.length <= call.pageSize || (count === 1 && locks.size === 0)) {
        for (const view of views) locks.set(view.key, view);
        cursor = step.cursor;
        isLast = cursor === '0';
      } else if (count > 1) {
        // Too many locks: repeat the step with fewer keys. The smallest step is one of Redis's buckets.
        count = Math.ceil(count / 4);
      } else {
        break;
      }
    } while (!isLast && locks.size < call.pageSize && processClock.now() < endsAtMs);
    const nextPageToken = isLast ? undefined : tokens.write(cursor);
    return { locks: [...locks.values()], nextPageToken };
  }

  /** The server's run id, or its address if the run id is not known, and the database. */
  #placeOf({ dataEpoch, address }: RedisLink): string[] {
    const server = dataEpoch?.split('/', 1)[0] ?? `${address.host}:${address.port}`;
    return [server, String(this.#database)];
  }

  #ask<T>(signal: CancelSignal, send: (link: RedisLink) => Promise<T>): Promise<T> {
    const { attempts, releaseLimits } = this.#calls;
    const way = { key: '', timeoutMs: releaseLimits.tryTimeoutMs, signal };
    return toSupported(attempts.ask(way, send));
  }
}
