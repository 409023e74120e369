import { randomUUID } from 'node:crypto';

import {
  type ListCall,
  type LockPage,
  type LockView,
  PageTokenError,
} from '../../lock/store-abilities';
import type { MemoryLeases } from './memory-leases';
import type { TicketQueues } from './ticket-queues';

/** The content of a page token. */
interface Position {
  readonly store: string;
  readonly keyPrefix: string;
  /** The last key of the previous page. */
  readonly after: string;
}

/** Reads a store's leases and queues. */
export class MemoryViews {
  readonly #leases: MemoryLeases;
  readonly #queues: TicketQueues;
  readonly #now: () => number;
  readonly #storeId = randomUUID();

  constructor(options: {
    readonly leases: MemoryLeases;
    readonly queues: TicketQueues;
    readonly now: () => number;
  }) {
    this.#leases = options.leases;
    this.#queues = options.queues;
    this.#now = options.now;
  }

  /** The holder of a lock. Undefined if the lock is free. */
  get(key: string): LockView | undefined {
    const lease = this.#leases.get(key);
    if (lease === undefined) return undefined;
    return {
      key,
      owner: lease.owner,
      fencingToken: lease.fencingToken,
      leftMs: lease.validUntilMs - this.#now(),
      expiresAtMs: this.#leases.toExpiry(lease),
      waiters: this.#queues.lengthOf(key),
    };
  }

  /** One page of held locks, sorted by key. */
  list({ keyPrefix, pageSize, pageToken }: ListCall): LockPage {
    const after = pageToken === undefined ? '' : this.#read(pageToken, keyPrefix);
    const keys = this.#leases.keys().filter((key) => key > after && key.startsWith(keyPrefix));
    const page = keys.sort().slice(0, pageSize);
    const locks = page.map((key) => this.get(key)).filter((view) => view !== undefined);
    const last = page.at(-1);
    const isLast = last === undefined || keys.length <= pageSize;
    return { locks, nextPageToken: isLast ? undefined : this.#write({ keyPrefix, after: last }) };
  }

  #write(position: Omit<Position, 'store'>): string {
    const whole: Position = { ...position, store: this.#storeId };
    return Buffer.from(JSON.stringify(whole)).toString('base64url');
  }

  #read(pageToken: string, keyPrefix: string): string {
    const position = parse(pageToken);
    const isOurs = position?.store === this.#storeId && position.keyPrefix === keyPrefix;
    if (!isOurs || typeof position.after !== 'string') throw new PageTokenError();
    return position.after;
  }
}

function parse(pageToken: string): Partial<Position> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(pageToken, 'base64url').toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
