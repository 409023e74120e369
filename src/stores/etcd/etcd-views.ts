import { createHash } from 'node:crypto';

import type { CancelSignal } from '../../base/cancellation';
import type { UnlockOutcome } from '../../lock/lock-store';
import {
  type ForceReleaseCall,
  type ListCall,
  type LockPage,
  type LockView,
  type LockViews,
  PageTokenError,
} from '../../lock/store-abilities';
import type { KeyValue } from './etcd-api';
import { type EtcdKeys, parseValue } from './etcd-keys';
import { readLease, toToken } from './etcd-leases';
import type { EtcdLink } from './etcd-link';
import type { ReleaseTerms } from './release';

/** How many queues are counted in one transaction: etcd allows 128 operations by default. */
const QUEUES_A_TRANSACTION = 100;

/** The options of {@link EtcdViews}. */
export interface EtcdViewsOptions {
  readonly keys: EtcdKeys;
  /** Sends something once that changes nothing. */
  readonly ask: <T>(signal: CancelSignal, send: (link: EtcdLink) => Promise<T>) => Promise<T>;
  readonly release: (terms: ReleaseTerms, signal: CancelSignal) => Promise<UnlockOutcome>;
}

/** Views of the locks on an etcd. */
export class EtcdViews implements LockViews {
  readonly #options: EtcdViewsOptions;

  constructor(options: EtcdViewsOptions) {
    this.#options = options;
  }

  get(name: string, signal: CancelSignal): Promise<LockView | undefined> {
    const { keys, ask } = this.#options;
    return ask(signal, async (link) => {
      const { kvs } = await link.call(link.api.range, { key: keys.lock(name) });
      const [view] = await this.#toViews(link, kvs);
      return view;
    });
  }

  async list(call: ListCall, signal: CancelSignal): Promise<LockPage> {
    const page = await this.#options.ask(signal, (link) => this.#list(link, call));
    if (page === undefined) throw new PageTokenError();
    return page;
  }

  forceRelease(call: ForceReleaseCall, signal: CancelSignal): Promise<UnlockOutcome> {
    const { key, attempt, grant } = call;
    return this.#options.release({ key, attempt, ...grant }, signal);
  }

  /** Undefined if the page token is from another place. */
  async #list(link: EtcdLink, call: ListCall): Promise<LockPage | undefined> {
    const { keys } = this.#options;
    const { keyPrefix, pageSize, pageToken } = call;
    const { key, rangeEnd } = keys.locks(keyPrefix);
    const seal = toSeal([link.dataEpoch ?? '', key.toString()]);
    const after = pageToken === undefined ? '' : readPageToken(pageToken, seal);
    if (after === undefined) return undefined;
    const { kvs, more } = await link.call(link.api.range, {
      // The next key after a key is that key and a NUL.
      key: after === '' ? key : Buffer.concat([key, Buffer.from(`${after}\0`)]),
      rangeEnd,
      limit: pageSize,
    });
    const rests = kvs.map((lock) => keys.nameOf(lock.key).slice(keyPrefix.length));
    const last = rests.at(-1);
    // With two pipes in its rest, a name belongs to another app or component.
    const own = kvs.filter((_, index) => rests[index]?.includes('||') !== true);
    const nextPageToken = more && last !== undefined ? toPageToken(last, seal) : undefined;
    return { locks: await this.#toViews(link, own), nextPageToken };
  }

  /** Omits locks whose lease is over. */
  async #toViews(link: EtcdLink, locks: readonly KeyValue[]): Promise<readonly LockView[]> {
    const waiters = await this.#countWaiters(link, locks);
    const views = await Promise.all(
      locks.map((lock, index) => this.#toView(link, lock, waiters[index] ?? 0)),
    );
    return views.filter((view) => view !== undefined);
  }

  async #toView(link: EtcdLink, lock: KeyValue, waiters: number): Promise<LockView | undefined> {
    const { createRevision, lease, key, value } = lock;
    const view = {
      key: this.#options.keys.nameOf(key),
      owner: parseValue(value).owner,
      fencingToken: toToken(createRevision),
      waiters,
    };
    // Put by hand, without a lease.
    if (lease === '0') return { ...view, leftMs: undefined, expiresAtMs: 0 };
    const left = await readLease(link, lease);
    if (left === undefined) return this.#toMoved(link, lock, waiters);
    return { ...view, leftMs: left.leftMs, expiresAtMs: Math.round(Date.now() + left.leftMs) };
  }

  /** The lease that was read is over: the grant has ended, or was renewed since. */
  async #toMoved(link: EtcdLink, before: KeyValue, waiters: number): Promise<LockView | undefined> {
    const { kvs } = await link.call(link.api.range, { key: before.key });
    const [now] = kvs;
    if (now === undefined || now.lease === before.lease) return undefined;
    return this.#toView(link, now, waiters);
  }

  async #countWaiters(link: EtcdLink, locks: readonly KeyValue[]): Promise<readonly number[]> {
    const { keys } = this.#options;
    const counts: number[] = [];
    for (let at = 0; at < locks.length; at += QUEUES_A_TRANSACTION) {
      const part = locks.slice(at, at + QUEUES_A_TRANSACTION);
      const { responses } = await link.call(link.api.txn, {
        compare: [],
        success: part.map(({ key }) => ({
          requestRange: { ...keys.queue(keys.nameOf(key)), countOnly: true },
        })),
      });
      for (const { responseRange } of responses) counts.push(Number(responseRange?.count ?? 0));
    }
    return counts;
  }
}

/** Binds a page token to its cluster and prefix. */
function toSeal(place: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(place)).digest('base64url').slice(0, 22);
}

function toPageToken(after: string, seal: string): string {
  return `${seal}.${Buffer.from(after).toString('base64url')}`;
}

/** The name after which a page begins. Undefined if the token is from another place. */
function readPageToken(pageToken: string, expected: string): string | undefined {
  const [, seal, after] = /^([\w-]{22})\.([\w-]+)$/.exec(pageToken) ?? [];
  if (seal !== expected || after === undefined) return undefined;
  return Buffer.from(after, 'base64url').toString();
}
