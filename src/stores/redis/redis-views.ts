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
import type { SideKeySpelling } from './side-keys';
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

/** Where locks are viewed. */
export interface ViewedServers {
  readonly database: number;
  readonly spelling: SideKeySpelling;
  /** The open link of every server that has locks, in an order that lasts. */
  readonly links: () => readonly RedisLink[];
}

/** A page, and whether it is the last one of its server. */
interface ServerPage extends LockPage {
  readonly isLast: boolean;
}

/** Views of the locks on a Redis, or on the masters of a cluster. */
export class RedisViews implements LockViews {
  readonly #calls: RedisCalls;
  readonly #servers: ViewedServers;
  readonly #commands: ViewCommands;

  constructor(calls: RedisCalls, servers: ViewedServers) {
    this.#calls = calls;
    this.#servers = servers;
    this.#commands = new ViewCommands(servers.spelling);
  }

  async get(key: string, signal: CancelSignal): Promise<LockView | undefined> {
    const send = ({ client }: RedisLink) => this.#commands.view(client, [key]);
    const views = await this.#ask({ key, signal }, send);
    return views[0];
  }

  /** Lists one server after the other. The page token says at which one the next page begins. */
  async list(call: ListCall, signal: CancelSignal): Promise<LockPage> {
    const links = this.#servers.links();
    const named = links.findIndex((link) => this.#cursorOf(link, call) !== undefined);
    if (named === -1 && links.length > 0) throw new PageTokenError();
    const link = links[named];
    const page = await this.#ask({ key: '', link, signal }, (open) => this.#list(open, call));
    if (page === undefined) throw new PageTokenError();
    const { locks, isLast } = page;
    const next = isLast ? links[named + 1] : undefined;
    if (next === undefined) return { locks, nextPageToken: page.nextPageToken };
    return { locks, nextPageToken: this.#tokensOf(next, call).write('0') };
  }

  forceRelease(call: ForceReleaseCall, signal: CancelSignal): Promise<UnlockOutcome> {
    const { key, attempt, grant } = call;
    return release(this.#calls, { key, attempt, ...grant }, signal);
  }

  /**
   * Reads a whole page over one link, because a cursor is only valid for its server. Undefined if
   * the page token is not from this server.
   */
  async #list(link: RedisLink, call: ListCall): Promise<ServerPage | undefined> {
    let cursor = this.#cursorOf(link, call);
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
    const nextPageToken = isLast ? undefined : this.#tokensOf(link, call).write(cursor);
    return { locks: [...locks.values()], nextPageToken, isLast };
  }

  /** Where a page begins on a server. Undefined if its page token is from another one. */
  #cursorOf(link: RedisLink, call: ListCall): string | undefined {
    return call.pageToken === undefined ? '0' : this.#tokensOf(link, call).read(call.pageToken);
  }

  #tokensOf(link: RedisLink, { keyPrefix }: ListCall): PageTokens {
    return new PageTokens([...this.#placeOf(link), keyPrefix]);
  }

  /** The server's run id, or its address if the run id is not known, and the database. */
  #placeOf({ dataEpoch, address }: RedisLink): string[] {
    const server = dataEpoch?.split('/', 1)[0] ?? `${address.host}:${address.port}`;
    return [server, String(this.#servers.database)];
  }

  #ask<T>(
    way: {
      readonly key: string;
      readonly link?: RedisLink | undefined;
      readonly signal: CancelSignal;
    },
    send: (link: RedisLink) => Promise<T>,
  ): Promise<T> {
    const { attempts, releaseLimits } = this.#calls;
    return toSupported(attempts.ask({ ...way, timeoutMs: releaseLimits.tryTimeoutMs }, send));
  }
}
