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
import { type PostgresqlCalls, release } from './postgresql-leases';
import type { PostgresqlLink } from './postgresql-link';
import { toNumber, toTextOfBytes } from './replies';
import type { Statement } from './session';
import { toLockId } from './statements';
import type { TableNames } from './table-names';

/** How long an identifier of a lock is: that of SHA-256, in hexadecimal digits. */
const ID_LENGTH = 64;

/**
 * Views of the locks on a PostgreSQL. Pages are in the order of the primary key, and a page token
 * names the last one, so that a lock that is held all the time is on some page.
 */
export class PostgresqlViews implements LockViews {
  readonly #calls: PostgresqlCalls;
  readonly #names: TableNames;

  constructor(calls: PostgresqlCalls, names: TableNames) {
    this.#calls = calls;
    this.#names = names;
  }

  async get(key: string, signal: CancelSignal): Promise<LockView | undefined> {
    const text = `${this.#select()} AND f.id = $1`;
    const [view] = await this.#read({ text, values: [toLockId(key)] }, signal);
    return view;
  }

  async list(call: ListCall, signal: CancelSignal): Promise<LockPage> {
    const { keyPrefix, pageSize, pageToken } = call;
    const after = pageToken === undefined ? '' : this.#readToken(pageToken, keyPrefix);
    const prefix = Buffer.from(keyPrefix);
    // A key whose rest contains || belongs to another app or component.
    const text = `${this.#select()} AND f.id > $1
      AND substring(f.key FROM 1 FOR length($2::bytea)) = $2
      AND position('||'::bytea IN substring(f.key FROM length($2::bytea) + 1)) = 0
      ORDER BY f.id LIMIT $3`;
    const values = [Buffer.from(after, 'hex'), prefix, pageSize + 1];
    const views = await this.#read({ text, values }, signal);
    const locks = views.slice(0, pageSize);
    const last = locks.at(-1);
    const isLast = last === undefined || views.length <= pageSize;
    const nextPageToken = isLast ? undefined : this.#writeToken(last.key, keyPrefix);
    return { locks, nextPageToken };
  }

  /** No lock here is without a token, so a call that names none meets another grant. */
  forceRelease(call: ForceReleaseCall, signal: CancelSignal): Promise<UnlockOutcome> {
    const { key, attempt, grant } = call;
    return release(this.#calls, { key, attempt, fencingToken: grant.fencingToken }, signal);
  }

  #select(): string {
    const { locks, tickets } = this.#names;
    return `SELECT f.key, f.owner, f.token,
        ceil(extract(epoch FROM f.ends_at - clock_timestamp()) * 1000)::bigint,
        floor(extract(epoch FROM f.ends_at) * 1000)::bigint,
        (SELECT count(*) FROM ${tickets} t WHERE t.lock_id = f.id)
      FROM ${locks} f WHERE f.owner IS NOT NULL AND f.ends_at > clock_timestamp()`;
  }

  async #read(statement: Statement, signal: CancelSignal): Promise<readonly LockView[]> {
    const { attempts, limits } = this.#calls;
    const way = { key: '', timeoutMs: limits.tryTimeoutMs, signal };
    const rows = await attempts.ask(way, (link: PostgresqlLink) => link.run(statement));
    return rows.map(toView);
  }

  #writeToken(key: string, keyPrefix: string): string {
    return `${toLockId(key).toString('hex')}.${this.#sealOf(keyPrefix)}`;
  }

  #readToken(pageToken: string, keyPrefix: string): string {
    const [id = '', seal, more] = pageToken.split('.');
    const isOurs = seal === this.#sealOf(keyPrefix) && more === undefined;
    if (!isOurs || id.length !== ID_LENGTH) throw new PageTokenError();
    return id;
  }

  #sealOf(keyPrefix: string): string {
    const place = JSON.stringify([this.#names.locks, keyPrefix]);
    return createHash('sha256').update(place).digest('base64url').slice(0, 22);
  }
}

function toView([key, owner, token, leftMs, expiresAtMs, waiters]: readonly unknown[]): LockView {
  return {
    key: toTextOfBytes(key),
    owner: toTextOfBytes(owner),
    fencingToken: toNumber(token),
    leftMs: Math.max(0, toNumber(leftMs)),
    expiresAtMs: toNumber(expiresAtMs),
    waiters: toNumber(waiters),
  };
}
