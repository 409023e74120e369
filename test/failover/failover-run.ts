import { setTimeout as pause } from 'node:timers/promises';

import { createAttempt } from '../../src/lock/attempt';
import { LockError } from '../../src/lock/lock-errors';
import { createLockKeyPrefix } from '../../src/lock/lock-key';
import { createLockService, type LockService } from '../../src/lock/lock-service';
import type { LockStore } from '../../src/lock/lock-store';
import { StoreCatalog } from '../../src/lock/store-catalog';
import { noAbort, tryLockCall } from '../stores/redis/redis-fixture';
import { eventually } from '../support/eventually';
import type { FailoverSetup } from './setups';

/** The result of a run. */
export interface FailoverReport {
  readonly calls: number;
  readonly acquired: number;
  readonly unknown: number;
  /** How often a replica became a master: more than once where Sentinel failed over from a master that lived. */
  readonly promotions: number;
  /** Leases that a client was given and that the master of now does not know. */
  readonly lost: number;
  /** Answers that can't be true of the server that gave them. */
  readonly false: number;
  /** Answers past the call's deadline and {@link ALLOWANCE_MS}. */
  readonly late: number;
  readonly slowestMs: number;
  readonly deadlineMs: number;
  readonly problems: readonly string[];
}

/** The store's deadline of a call where its component sets none. */
const DEADLINE_MS = 10_000;

/** For a busy machine. */
const ALLOWANCE_MS = 1000;

/** Longer than any run: what is gone was lost, not expired. */
const EXPIRY_S = 600;

/** A lease that a master did not know when it was asked. */
interface Missed {
  readonly takenAtMs: number;
  /** When it was asked, or Infinity for the end of the run. */
  readonly askedAtMs: number;
  readonly sentence: string;
}

/** From a promotion until calls were answered by the new master: what was given before its end may be lost. */
interface Loss {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Callers who take a lock of a resource that nobody else names, and release every other one. */
export class FailoverRun {
  readonly #setup: FailoverSetup;
  readonly #store: LockStore;
  readonly #service: LockService;
  readonly #held = new Map<string, number>();
  readonly #problems: string[] = [];
  readonly #callers: Promise<void>[];
  #calls = 0;
  #acquired = 0;
  #unknown = 0;
  #false = 0;
  #late = 0;
  #slowestMs = 0;
  /** One for each promotion that is over. */
  readonly #losses: Loss[] = [];
  readonly #missed: Missed[] = [];
  #isOver = false;

  private constructor(setup: FailoverSetup, store: LockStore, callers: number) {
    const stores = new StoreCatalog();
    const keyPrefix = createLockKeyPrefix({
      keyPrefix: 'none',
      appId: 'myapp',
      componentName: 'lockstore',
    });
    stores.add({ name: 'lockstore', store, keyPrefix });
    this.#setup = setup;
    this.#store = store;
    this.#service = createLockService({ stores, observers: [] });
    this.#callers = Array.from({ length: callers }, (_, number) => this.#call(number));
  }

  /** Starts the load. */
  static async start(setup: FailoverSetup, callers: number): Promise<FailoverRun> {
    const store = setup.createStore();
    await store.init(noAbort());
    return new FailoverRun(setup, store, callers);
  }

  /** Goes on under load until calls are answered by the newest master, and so for each promotion that comes meanwhile. */
  async settle(loadMs: number): Promise<void> {
    do {
      await this.#untilServedAgain();
      await pause(loadMs);
    } while (this.#setup.promotions.length > this.#losses.length);
  }

  /** Resolves once a call is answered by the newest master. */
  async #untilServedAgain(): Promise<void> {
    const begun = this.#setup.promotions.slice(this.#losses.length);
    await eventually(
      async () => {
        const probe = tryLockCall(this.#setup.probeKey());
        await this.#store.tryLock({ ...probe, attempt: createAttempt() }, noAbort());
        const present = await this.#setup.present([probe.key]);
        if (!present.has(probe.key)) throw new Error('another server answered');
      },
      { withinMs: 30_000 },
    );
    const toMs = performance.now();
    this.#losses.push(...begun.map(({ fromMs }) => ({ fromMs, toMs })));
  }

  /** Ends the load and holds what clients were told against what the master has. */
  async finish(): Promise<FailoverReport> {
    this.#isOver = true;
    await Promise.all(this.#callers);
    const present = await this.#present();
    for (const [resource, takenAtMs] of this.#held) {
      if (present.has(toKey(resource))) continue;
      const sentence = `${resource} was taken on the new master, which does not have it`;
      this.#missed.push({ takenAtMs, askedAtMs: Infinity, sentence });
    }
    const lies = this.#missed.filter((missed) => !this.#isLost(missed));
    for (const { sentence } of lies) this.#lie(sentence);
    await this.#store.close();
    return {
      calls: this.#calls,
      acquired: this.#acquired,
      unknown: this.#unknown,
      promotions: this.#losses.length,
      lost: this.#missed.length - lies.length,
      false: this.#false,
      late: this.#late,
      slowestMs: Math.round(this.#slowestMs),
      deadlineMs: DEADLINE_MS,
      problems: this.#problems,
    };
  }

  /** The leases that the master has at the end, also of a promotion that came only now. */
  async #present(): Promise<ReadonlySet<string>> {
    for (;;) {
      const present = await this.#setup.present([...this.#held.keys()].map(toKey));
      if (this.#setup.promotions.length === this.#losses.length) return present;
      await this.#untilServedAgain();
    }
  }

  #isLost({ takenAtMs, askedAtMs }: Missed): boolean {
    return this.#losses.some(({ fromMs, toMs }) => takenAtMs <= toMs && askedAtMs >= fromMs);
  }

  async #call(caller: number): Promise<void> {
    for (let number = 0; !this.#isOver; number += 1) {
      const resourceId = `c${caller}-${number}`;
      const request = { storeName: 'lockstore', resourceId, lockOwner: `o${caller}` };
      const taken = await this.#timed(() =>
        this.#service.tryLock({ ...request, expiryInSeconds: EXPIRY_S }, { signal: noAbort() }),
      );
      if (taken === undefined) continue;
      if (!taken.success) {
        this.#lie(`${resourceId} was refused, and nobody else names it`);
        continue;
      }
      this.#acquired += 1;
      this.#held.set(resourceId, performance.now());
      if (number % 2 === 0) await this.#release(request);
    }
  }

  async #release(request: Parameters<LockService['unlock']>[0]): Promise<void> {
    const { resourceId } = request;
    const takenAtMs = this.#held.get(resourceId)!;
    const released = await this.#timed(() => this.#service.unlock(request, { signal: noAbort() }));
    this.#held.delete(resourceId);
    if (released === undefined || released.status === 0) return;
    const sentence = `the release of ${resourceId} was answered by status ${released.status}`;
    // Status 1 is true of a server that has lost the lock, and then of no other.
    if (released.status === 1)
      this.#missed.push({ takenAtMs, askedAtMs: performance.now(), sentence });
    else this.#lie(sentence);
  }

  /** Undefined where the call failed, which is no answer about the lock. */
  async #timed<T>(call: () => Promise<T>): Promise<T | undefined> {
    const startedAt = performance.now();
    this.#calls += 1;
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof LockError)) throw error;
      if (error.message.includes('outcome is unknown')) this.#unknown += 1;
      return undefined;
    } finally {
      const tookMs = performance.now() - startedAt;
      this.#slowestMs = Math.max(this.#slowestMs, tookMs);
      if (tookMs > DEADLINE_MS + ALLOWANCE_MS) {
        this.#late += 1;
        this.#problems.push(`a call took ${Math.round(tookMs)} ms`);
      }
    }
  }

  #lie(sentence: string): void {
    this.#false += 1;
    if (this.#problems.length < 20) this.#problems.push(sentence);
  }
}

function toKey(resource: string): string {
  return `lock||${resource}`;
}
