import type { ListAnswer, LockInfo } from '../lock/native-lock-service';

/** How many locks are loaded, sorted and paged together. */
export const WINDOW_SIZE = 1000;

/** In a large store a part may contain few locks. After so many parts the window ends. */
const MOST_PARTS = 10;

/** A part of a store's held locks. */
export interface LockWindow {
  readonly locks: readonly LockInfo[];
  /** Where the next window begins; empty if this is the last one. */
  readonly nextPageToken: string;
}

/** Where a window begins, and what it may contain. */
export interface WindowPlace {
  readonly storeName: string;
  readonly prefix: string;
  readonly pageToken: string;
}

/** Lists locks. This file knows nothing of browsers, so that Node can test it. */
export interface LockLister {
  list(
    storeName: string,
    page: { readonly prefix: string; readonly pageSize: number; readonly pageToken: string },
    signal: AbortSignal,
  ): Promise<ListAnswer>;
}

/** Loads a window. A lock that the store names twice is in it once. */
export async function loadWindow(
  client: LockLister,
  { storeName, prefix, pageToken: first }: WindowPlace,
  signal: AbortSignal,
): Promise<LockWindow> {
  const locks = new Map<string, LockInfo>();
  let pageToken = first;
  for (let part = 0; part < MOST_PARTS && locks.size < WINDOW_SIZE; part += 1) {
    const page = { prefix, pageSize: WINDOW_SIZE, pageToken };
    const answer = await client.list(storeName, page, signal);
    for (const lock of answer.locks) locks.set(lock.resourceId, lock);
    pageToken = answer.nextPageToken;
    if (pageToken === '') break;
  }
  return { locks: [...locks.values()], nextPageToken: pageToken };
}

/** A held lock, and what this page has seen of its lease. */
export interface ShownLock extends LockInfo {
  /** The end of the lease on the clock of the page (`performance.now()`). Undefined if it has none. */
  readonly endsAtMs: number | undefined;
  /** The longest time left that the page has seen of this grant, in milliseconds. */
  readonly longestMs: number;
  /** How often the page has seen its lease extended: somebody renewed it. */
  readonly renewals: number;
  /** When the last of these renewals was seen, on the clock of the page. Undefined without one. */
  readonly renewedAtMs: number | undefined;
  /** When this was read, on the clock of the page. */
  readonly readAtMs: number;
}

/** Renewals closer together than this are one, in milliseconds: a store's clock is read in steps. */
const CLOCK_STEP_MS = 5;

/**
 * Adds to a lock what was seen of it before.
 *
 * @param before the same lock, as it was shown before
 * @param atMs when it was read, on the clock of the page
 */
export function toShownLock(
  lock: LockInfo,
  before: ShownLock | undefined,
  atMs: number,
): ShownLock {
  const { ttlMs } = lock;
  const read = { ...lock, readAtMs: atMs };
  const endsAtMs = ttlMs === undefined ? undefined : atMs + ttlMs;
  const isSame = before?.fencingToken === lock.fencingToken && before.lockOwner === lock.lockOwner;
  if (!isSame)
    return { ...read, endsAtMs, longestMs: ttlMs ?? 0, renewals: 0, renewedAtMs: undefined };
  const isRenewed = lock.expiresAtMs > before.expiresAtMs + CLOCK_STEP_MS;
  return {
    ...read,
    endsAtMs,
    longestMs: Math.max(before.longestMs, ttlMs ?? 0),
    renewals: before.renewals + (isRenewed ? 1 : 0),
    renewedAtMs: isRenewed ? atMs : before.renewedAtMs,
  };
}

/** The columns by which locks can be sorted. */
export type SortColumn = 'resource' | 'owner' | 'token' | 'left' | 'waiters';

/** An order of locks. */
export interface SortOrder {
  readonly column: SortColumn;
  readonly isDescending: boolean;
}

const COMPARE: Readonly<Record<SortColumn, (a: ShownLock, b: ShownLock) => number>> = {
  resource: (a, b) => compareTexts(a.resourceId, b.resourceId),
  owner: (a, b) => compareTexts(a.lockOwner, b.lockOwner),
  token: (a, b) => a.fencingToken - b.fencingToken,
  // A lock without an end lasts longest.
  left: (a, b) => (a.endsAtMs ?? Infinity) - (b.endsAtMs ?? Infinity) || 0,
  waiters: (a, b) => a.waiters - b.waiters,
};

/** Sorts locks; those that are equal by their resources. */
export function sortLocks(locks: readonly ShownLock[], order: SortOrder): readonly ShownLock[] {
  const direction = order.isDescending ? -1 : 1;
  return [...locks].sort(
    (a, b) => direction * COMPARE[order.column](a, b) || COMPARE.resource(a, b),
  );
}

const COLLATOR = new Intl.Collator('en', { numeric: true });

/** Numbers in names count as numbers. Long names are compared by their beginnings. */
function compareTexts(a: string, b: string): number {
  return COLLATOR.compare(a.slice(0, 1000), b.slice(0, 1000)) || (a < b ? -1 : a > b ? 1 : 0);
}
