import { setTimeout as pause } from 'node:timers/promises';

/** One client that takes a lock and releases it. */
export interface Locker {
  /** Resolves once it holds the lock, however long that takes. */
  acquire(): Promise<unknown>;
  /** Resolves once the release was answered. */
  release(): Promise<unknown>;
  close(): unknown;
}

/** How much is measured at a time. */
export interface HandOverLoad {
  /** How many wait at each hand-over. */
  readonly waiters: number;
  readonly handOvers: number;
}

/** One of those whose hand-overs are compared. */
export interface Contender {
  readonly name: string;
  /** How its clients wait for a lock. */
  readonly waitsBy: string;
  /** The servers that it uses. */
  readonly pids: readonly number[];
  /**
   * Hands one lock on again and again. Gives the time of each hand-over in milliseconds, from the
   * answer to the release until the next holder has its answer.
   */
  measure(load: HandOverLoad): Promise<readonly number[]>;
}

/** How a contender is made of lockers. */
export interface LockerContenderOptions extends Pick<Contender, 'name' | 'waitsBy' | 'pids'> {
  /** The longest time between two polls in milliseconds, or less if it does not poll. */
  readonly spreadMs: number;
  /** Makes a client with connections of its own. All clients of a lock get the same name. */
  open(lockName: string): Locker;
}

let locks = 0;

/** A contender whose clients run in this process. */
export function lockerContender(options: LockerContenderOptions): Contender {
  const { name, waitsBy, pids, spreadMs } = options;
  return {
    name,
    waitsBy,
    pids,
    async measure({ waiters, handOvers }) {
      locks += 1;
      const lockName = `hand-over-${process.pid}-${locks}`;
      const lockers = Array.from({ length: waiters + 1 }, () => options.open(lockName));
      try {
        return await new HandOvers(lockers, spreadMs).run(handOvers);
      } finally {
        await Promise.all(lockers.map((locker) => locker.close()));
      }
    },
  };
}

/** The client that got the lock, and when, by `performance.now()`. */
interface Taken {
  readonly locker: Locker;
  readonly atMs: number;
}

/** Before the first hand-over: connections open and everybody waits. */
const SETTLE_MS = 300;

/** Hands a lock on among lockers. Whoever has released it waits for it again. */
class HandOvers {
  readonly #lockers: readonly Locker[];
  readonly #spreadMs: number;
  #onTaken: (taken: Taken) => void = () => undefined;
  #onFailed: (error: unknown) => void = () => undefined;

  constructor(lockers: readonly Locker[], spreadMs: number) {
    this.#lockers = lockers;
    this.#spreadMs = spreadMs;
  }

  async run(handOvers: number): Promise<readonly number[]> {
    const first = this.#next();
    for (const locker of this.#lockers) this.#wait(locker);
    let holder = await first;
    await pause(SETTLE_MS + this.#spreadMs);
    const timesMs: number[] = [];
    for (let count = 0; count < handOvers; count += 1) {
      const next = this.#next();
      await holder.locker.release();
      const releasedAtMs = performance.now();
      const taken = await next;
      timesMs.push(taken.atMs - releasedAtMs);
      this.#wait(holder.locker);
      holder = taken;
      // Who polls is met at any moment of the interval.
      await pause(Math.random() * this.#spreadMs);
    }
    await this.#drain(holder.locker);
    return timesMs;
  }

  /** Everybody who waits gets the lock once, and releases it. */
  async #drain(holder: Locker): Promise<void> {
    let last = holder;
    for (let left = this.#lockers.length - 1; left > 0; left -= 1) {
      const next = this.#next();
      await last.release();
      last = (await next).locker;
    }
    await last.release();
  }

  #next(): Promise<Taken> {
    return new Promise((resolve, reject) => {
      this.#onTaken = resolve;
      this.#onFailed = reject;
    });
  }

  #wait(locker: Locker): void {
    locker.acquire().then(
      () => {
        this.#onTaken({ locker, atMs: performance.now() });
      },
      (error: unknown) => {
        this.#onFailed(error);
      },
    );
  }
}
