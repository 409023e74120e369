import type { CancelSignal } from '../../base/cancellation';
import { runWithin } from '../../base/race';
import { createAttempt } from '../attempt';
import type { LeaseClock } from '../lease-clock';
import { lockErrors } from '../lock-errors';
import type { UnlockOutcome } from '../lock-store';
import type {
  ForceReleaseRequest,
  ListAnswer,
  ListRequest,
  LockInfo,
  ReleaseRequest,
  RenewRequest,
} from '../native-lock-service';
import type { ForceReleaseCall, Grant, LockViews, RenewResult } from '../store-abilities';
import type { CatalogEntry } from '../store-catalog';
import { toLockInfo } from './lock-infos';
import { DEFAULT_PAGE_SIZE, type Resolved } from './native-requests';
import type { StoreCalls } from './store-calls';
import { leasesOf } from './taking';

/**
 * How long a refusal waits for the name of the holder, in milliseconds. The answer is valid without
 * it.
 */
const LOOK_MS = 250;

/**
 * The calls that need one call to a store. Each rejects with a LockError, or with the error of the
 * store.
 */
export class PlainCalls {
  readonly #clock: LeaseClock;
  readonly #calls: StoreCalls;

  constructor(options: { readonly clock: LeaseClock; readonly calls: StoreCalls }) {
    this.#clock = options.clock;
    this.#calls = options.calls;
  }

  /** The end of the grant is on the lease clock. */
  async renew(
    { entry, key }: Resolved,
    { lockOwner: owner, fencingToken, ttlMs }: RenewRequest,
    signal: CancelSignal,
  ): Promise<RenewResult> {
    const leases = leasesOf(entry);
    const call = { key, owner, fencingToken, ttlMs };
    const asleepMs = this.#clock.asleepMs();
    const run = (trySignal: CancelSignal): Promise<RenewResult> => leases.renew(call, trySignal);
    const result = await this.#calls.run({ entry, run, signal });
    if (result.status !== 'renewed') return result;
    return { status: 'renewed', grant: delayed(result.grant, asleepMs) };
  }

  async release(
    { entry, key }: Resolved,
    { lockOwner: owner, fencingToken }: ReleaseRequest,
    signal: CancelSignal,
  ): Promise<UnlockOutcome> {
    const leases = leasesOf(entry);
    const call = { key, owner, fencingToken, attempt: createAttempt() };
    const run = (trySignal: CancelSignal): Promise<UnlockOutcome> =>
      leases.release(call, trySignal);
    return this.#calls.run({ entry, run, signal, undo: () => entry.store.withdraw(call) });
  }

  async get({ entry, key }: Resolved, signal: CancelSignal): Promise<LockInfo | undefined> {
    const views = viewsOf(entry);
    const view = await this.#calls.run({ entry, run: (sent) => views.get(key, sent), signal });
    return view === undefined ? undefined : toLockInfo(entry, view);
  }

  /**
   * The holder of a lock that was refused. Undefined if it can't be read quickly. Never rejects.
   */
  async look({ entry, key }: Resolved, signal: CancelSignal): Promise<LockInfo | undefined> {
    const { views } = entry.store;
    if (views === undefined) return undefined;
    const limit = { afterMs: LOOK_MS, signals: [signal], clock: this.#clock };
    try {
      const view = await runWithin(limit, (over) => views.get(key, over));
      return view === undefined ? undefined : toLockInfo(entry, view);
    } catch {
      return undefined;
    }
  }

  async list(
    { entry, key: keyPrefix }: Resolved,
    { pageSize = DEFAULT_PAGE_SIZE, pageToken }: ListRequest,
    signal: CancelSignal,
  ): Promise<ListAnswer> {
    const views = viewsOf(entry);
    const call = { keyPrefix, pageSize, pageToken: pageToken === '' ? undefined : pageToken };
    const page = await this.#calls.run({ entry, run: (sent) => views.list(call, sent), signal });
    const infos = page.locks.map((view) => toLockInfo(entry, view));
    const locks = infos.filter((info) => info !== undefined);
    return { locks, nextPageToken: page.nextPageToken ?? '' };
  }

  async forceRelease(
    { entry, key }: Resolved,
    request: ForceReleaseRequest,
    signal: CancelSignal,
  ): Promise<UnlockOutcome> {
    const views = viewsOf(entry);
    const call: ForceReleaseCall = { key, attempt: createAttempt(), grant: toGrantName(request) };
    const run = (trySignal: CancelSignal): Promise<UnlockOutcome> =>
      views.forceRelease(call, trySignal);
    return this.#calls.run({ entry, run, signal, undo: () => entry.store.withdraw(call) });
  }
}

function viewsOf({ name, store }: CatalogEntry): LockViews {
  if (store.views !== undefined) return store.views;
  throw lockErrors.unsupported(name, 'its type does not show locks');
}

function toGrantName({
  fencingToken,
  lockOwner: owner,
  expiresAtMs = 0,
}: ForceReleaseRequest): ForceReleaseCall['grant'] {
  return fencingToken === 0 ? { fencingToken, owner, expiresAtMs } : { fencingToken };
}

function delayed({ fencingToken, validUntilMs }: Grant, byMs: number): Grant {
  return { fencingToken, validUntilMs: validUntilMs + byMs };
}
