import { type LockError, lockErrors } from '../lock-errors';
import { LockKeyError, toLockKey } from '../lock-key';
import type {
  AcquireRequest,
  ForceReleaseRequest,
  ListRequest,
  LockName,
  ReleaseRequest,
  RenewRequest,
} from '../native-lock-service';
import type { CatalogEntry, StoreCatalog } from '../store-catalog';

/** The allowed range of a number, both bounds included. */
interface WholeNumber {
  readonly least: number;
  readonly most: number;
}

/** The shortest lease leaves time for more than one renewal. The longest is the largest int32. */
const TTL_MS: WholeNumber = { least: 10, most: 2 ** 31 - 1 };

/** One day. A call that waits longer has probably been forgotten. */
const WAIT_MS: WholeNumber = { least: 0, most: 24 * 60 * 60 * 1000 };

/** Tokens begin at 1. Above 2^53-1, a JSON number loses digits. */
const FENCING_TOKEN: WholeNumber = { least: 1, most: Number.MAX_SAFE_INTEGER };

/** 0 stands for a grant without a token. */
const TOKEN_OR_NONE: WholeNumber = { ...FENCING_TOKEN, least: 0 };

/** On the store's clock, since 1970. 0 stands for a lock that doesn't expire. */
const EXPIRES_AT_MS: WholeNumber = { least: 0, most: Number.MAX_SAFE_INTEGER };

const PAGE_SIZE: WholeNumber = { least: 1, most: 1000 };

/** The page size if the request has none. */
export const DEFAULT_PAGE_SIZE = 100;

/** The longest reason of a forced release, in characters. It is written to a log. */
const LONGEST_REASON = 256;

/** The store and the key of a valid request. */
export interface Resolved {
  readonly entry: CatalogEntry;
  readonly key: string;
}

/**
 * Checks a request to take or to hold a lock. Like the checks below, it throws a LockError for the
 * first problem.
 */
export function resolveAcquire(stores: StoreCatalog, request: AcquireRequest): Resolved {
  return resolve(stores, request, (check) => {
    check.number('ttlMs', request.ttlMs, TTL_MS);
    check.number('waitMs', request.waitMs, WAIT_MS);
  });
}

/** Checks a request to renew a lease. */
export function resolveRenew(stores: StoreCatalog, request: RenewRequest): Resolved {
  return resolve(stores, request, (check) => {
    checkGrant(check, request);
    check.number('ttlMs', request.ttlMs, TTL_MS);
  });
}

/** Checks a request to release a lock. */
export function resolveRelease(stores: StoreCatalog, request: ReleaseRequest): Resolved {
  return resolve(stores, request, (check) => {
    checkGrant(check, request);
  });
}

/** Checks a request to look at a lock. */
export function resolveGet(stores: StoreCatalog, request: LockName): Resolved {
  return resolve(stores, request, () => undefined);
}

/** Checks a request to release a lock by force. */
export function resolveForceRelease(stores: StoreCatalog, request: ForceReleaseRequest): Resolved {
  return resolve(stores, request, (check) => {
    check.number('fencingToken', request.fencingToken, TOKEN_OR_NONE);
    if (request.fencingToken === 0) {
      check.text('lockOwner', request.lockOwner);
      check.number('expiresAtMs', request.expiresAtMs, EXPIRES_AT_MS);
    }
    check.reason(request.reason);
  });
}

/** Checks a request for held locks. The key is the prefix of their keys. */
export function resolveList(stores: StoreCatalog, request: ListRequest): Resolved {
  const check = new RequestCheck(request.storeName);
  if (stores.isEmpty) throw lockErrors.storesNotConfigured();
  if (request.pageSize !== undefined) check.number('pageSize', request.pageSize, PAGE_SIZE);
  const entry = entryOf(stores, request.storeName);
  return { entry, key: check.key('prefix', entry, request.prefix) };
}

function resolve(
  stores: StoreCatalog,
  { storeName, resourceId }: LockName,
  checkValues: (check: RequestCheck) => void,
): Resolved {
  const check = new RequestCheck(storeName);
  if (stores.isEmpty) throw lockErrors.storesNotConfigured();
  check.text('resourceId', resourceId);
  checkValues(check);
  const entry = entryOf(stores, storeName);
  return { entry, key: check.key('resourceId', entry, resourceId) };
}

function checkGrant(check: RequestCheck, { lockOwner, fencingToken }: ReleaseRequest): void {
  check.text('lockOwner', lockOwner);
  if (fencingToken !== undefined) check.number('fencingToken', fencingToken, FENCING_TOKEN);
}

function entryOf(stores: StoreCatalog, storeName: string): CatalogEntry {
  const entry = stores.find(storeName);
  if (entry === undefined) throw lockErrors.storeNotFound(storeName);
  return entry;
}

/** Checks the values of a request. Error texts use their names in JSON. */
class RequestCheck {
  constructor(private readonly storeName: string) {}

  number(name: string, value: number | undefined, { least, most }: WholeNumber): void {
    if (value !== undefined && Number.isSafeInteger(value) && value >= least && value <= most) {
      return;
    }
    const what = value === undefined ? 'is missing' : `is ${value}`;
    throw this.refusal(`${name} ${what}; a whole number from ${least} to ${most} is allowed`);
  }

  text(name: string, value: string): void {
    if (value === '') throw this.refusal(`${name} is empty`);
  }

  reason(reason: string): void {
    const { length } = Array.from(reason);
    if (length < 1 || length > LONGEST_REASON) {
      throw this.refusal(`reason has ${length} characters; 1 to ${LONGEST_REASON} are allowed`);
    }
    if (/\p{Cc}|\p{Zl}|\p{Zp}/u.test(reason)) {
      throw this.refusal('reason has a control character or a line break, which is not allowed');
    }
  }

  key(name: string, { keyPrefix }: CatalogEntry, text: string): string {
    try {
      return toLockKey(keyPrefix, text);
    } catch (error) {
      if (!(error instanceof LockKeyError)) throw error;
      throw this.refusal(`${name} contains '||', which is not allowed`);
    }
  }

  refusal(reason: string): LockError {
    return lockErrors.valueNotAllowed(this.storeName, reason);
  }
}
