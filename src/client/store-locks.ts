import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';

import { LeaseClock } from '../lock/lease-clock';
import { LockLostError, LockNotAcquiredError, LockUnreachableError } from './client-errors';
import type { Lock } from './lock';
import type { LeaseAnswer, LockCalls, LockInfo, LockName, ReleaseStatus } from './lock-calls';
import type { GrantOptions, HoldOptions, Lease, Locks, TakeOptions } from './locks';
import { takeHold } from './take-hold';

/** The dependencies of locks. */
export interface LocksOptions {
  readonly calls: LockCalls;
  readonly storeName: string;
  /** How long a call may take beside the time that it waits for a lock, in milliseconds. */
  readonly timeoutMs: number;
}

const DEFAULT_TTL_MS = 30_000;

/** The locks of a store, over whatever carries the calls. */
export class StoreLocks implements Locks {
  readonly #calls: LockCalls;
  readonly #storeName: string;
  readonly #timeoutMs: number;
  readonly #clock = new LeaseClock();
  readonly #held = new Set<Lock>();
  readonly #closing = new AbortController();

  constructor({ calls, storeName, timeoutMs }: LocksOptions) {
    this.#calls = calls;
    this.#storeName = storeName;
    this.#timeoutMs = timeoutMs;
    // Every hold that waits listens.
    setMaxListeners(Infinity, this.#closing.signal);
  }

  async hold(resourceId: string, options: HoldOptions = {}): Promise<Lock> {
    const { signal, onQueued } = options;
    const taken = this.#toTake(resourceId, options);
    const [calls, clock, timeoutMs] = [this.#calls, this.#clock, this.#timeoutMs];
    const signals = [this.#closing.signal, ...(signal === undefined ? [] : [signal])];
    const onOver = (over: Lock): void => void this.#held.delete(over);
    const start = { calls, clock, taken, timeoutMs, signals, onQueued, onOver };
    const lock = await takeHold(start);
    if (!lock.lost.aborted) this.#held.add(lock);
    return lock;
  }

  async withLock<Result>(
    resourceId: string,
    options: HoldOptions,
    work: (lock: Lock) => Result | Promise<Result>,
  ): Promise<Result> {
    const lock = await this.hold(resourceId, options);
    let result: Result;
    try {
      result = await work(lock);
    } catch (error) {
      // The error of the work is what its caller has to know of.
      await lock.release().catch(() => undefined);
      throw error;
    }
    await lock.release();
    return result;
  }

  async acquire(resourceId: string, options: TakeOptions = {}): Promise<Lease> {
    const sentAtMs = this.#clock.now();
    const { signal } = options;
    const call = this.#toTake(resourceId, options);
    const limits = { timeoutMs: this.#timeoutMs + call.waitMs, signal };
    const answer = await this.#calls.acquire(call, limits);
    if (!answer.acquired) throw new LockNotAcquiredError(resourceId, answer.holder);
    return this.#toLease(resourceId, answer.lease, sentAtMs);
  }

  async renew(
    resourceId: string,
    { owner, token, ttlMs = DEFAULT_TTL_MS }: GrantOptions & { readonly ttlMs?: number },
  ): Promise<Lease> {
    const sentAtMs = this.#clock.now();
    const call = { ...this.#toName(resourceId), lockOwner: owner, fencingToken: token, ttlMs };
    const answer = await this.#calls.renew(call, { timeoutMs: this.#timeoutMs });
    if (answer.status === 'RENEWED') return this.#toLease(resourceId, answer.lease, sentAtMs);
    throw new LockLostError(resourceId, answer.status === 'NOT_FOUND' ? 'EXPIRED' : 'TAKEN_OVER');
  }

  async release(resourceId: string, { owner, token }: GrantOptions): Promise<ReleaseStatus> {
    const call = { ...this.#toName(resourceId), lockOwner: owner, fencingToken: token };
    return this.#calls.release(call, { timeoutMs: this.#timeoutMs });
  }

  async get(resourceId: string): Promise<LockInfo | undefined> {
    return this.#calls.get(this.#toName(resourceId), { timeoutMs: this.#timeoutMs });
  }

  async *list({
    prefix = '',
    pageSize,
  }: {
    readonly prefix?: string | undefined;
    readonly pageSize?: number | undefined;
  } = {}): AsyncGenerator<LockInfo, void, undefined> {
    let pageToken = '';
    do {
      const call = { storeName: this.#storeName, prefix, pageSize, pageToken };
      const page = await this.#calls.list(call, { timeoutMs: this.#timeoutMs });
      yield* page.locks;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  async forceRelease(
    seen: Pick<LockInfo, 'resourceId' | 'fencingToken'> &
      Partial<Pick<LockInfo, 'lockOwner' | 'expiresAtMs'>>,
    reason: string,
  ): Promise<ReleaseStatus> {
    const { resourceId, fencingToken, lockOwner = '', expiresAtMs } = seen;
    const grant = fencingToken === 0 ? { lockOwner, expiresAtMs } : UNNEEDED;
    const call = { ...this.#toName(resourceId), fencingToken, ...grant, reason };
    return this.#calls.forceRelease(call, { timeoutMs: this.#timeoutMs });
  }

  async close(): Promise<void> {
    this.#closing.abort(new LockUnreachableError('these locks are closed'));
    // Each lock has told its holder what went wrong, or does so when the holder releases it.
    await Promise.allSettled([...this.#held].map((lock) => lock.release()));
    await this.#calls.close();
  }

  #toName(resourceId: string): LockName {
    return { storeName: this.#storeName, resourceId };
  }

  #toTake(resourceId: string, options: TakeOptions) {
    const { ttlMs = DEFAULT_TTL_MS, waitMs = 0, owner = drawOwner() } = options;
    return { ...this.#toName(resourceId), lockOwner: owner, ttlMs, waitMs };
  }

  #toLease(resourceId: string, lease: LeaseAnswer, sentAtMs: number): Lease {
    const clock = this.#clock;
    const endMs = sentAtMs + lease.validMs;
    return {
      resourceId,
      owner: lease.lockOwner,
      token: lease.fencingToken,
      get validForMs() {
        return Math.max(0, Math.floor(endMs - clock.now()));
      },
    };
  }
}

/** The other fields of a request that names a grant by its token. They are ignored then. */
const UNNEEDED = { lockOwner: '', expiresAtMs: undefined };

/** Draws an owner that says at 3 a.m. which process holds a lock: `host-pid-random`. */
export function drawOwner(): string {
  return `${hostname()}-${process.pid}-${randomBytes(6).toString('hex')}`;
}
