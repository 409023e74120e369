import type { CancelSignal } from '../../../src/base/cancellation';
import type { Clock } from '../../../src/base/clock';
import { whenOver } from '../../../src/base/race';
import { type LockStore, StoreError } from '../../../src/lock/lock-store';
import type {
  AskCall,
  AskResult,
  Grant,
  LeaseAbility,
  LockQueue,
  LockViews,
  QueueListener,
} from '../../../src/lock/store-abilities';
import type { LockServer, WakeTarget } from './lock-server';

/** One send waits so long for its reply, and has no effect when it comes to the server later. */
export const SEND_LIFE_MS = 1000;

/** A gap between two refreshes after which tickets may have died. */
const LAPSE_MS = 2500;

/** The faults of the network for one send, drawn by a test; lengths in milliseconds. */
export interface Passage {
  readonly thereMs: number;
  readonly backMs: number;
  /** `nothing` goes through, the request doesn't, or the reply doesn't. */
  readonly lost: 'nothing' | 'request' | 'reply';
}

/** The network between a sidecar and the server; a test changes it as time passes. */
export interface Network {
  /** Undefined where the server can't be reached, which is found out at once. */
  passage(): Passage | undefined;
  /** After how long a wake-up arrives; undefined where it is lost. */
  wakeMs(): number | undefined;
}

/** A network without faults. */
export const calmNetwork: Network = {
  passage: () => ({ thereMs: 0.5, backMs: 0.5, lost: 'nothing' }),
  wakeMs: () => 0.5,
};

/**
 * A LockStore with all abilities over a shared {@link LockServer} and a network with faults. It keeps the promises of
 * the contract, and counts what its callers do against it.
 */
export class RemoteStore implements LockStore, WakeTarget {
  network: Network = calmNetwork;
  isClosed = false;
  /** True if the listener is told of releases as they are sent. Network delays may reorder what follows. */
  tellsReleases = false;
  /** Calls that the contract forbids. */
  readonly violations: string[] = [];
  readonly sent: string[] = [];
  /** The keys of the asks that were begun. */
  readonly asked: string[] = [];
  readonly #server: LockServer;
  readonly #clock: Clock;
  readonly #asking = new Set<string>();
  readonly #over = new Map<string, 'granted' | 'left'>();
  /** Asked, and neither granted nor left: at the end there must be none. */
  readonly open = new Set<string>();
  #listener: QueueListener | undefined;
  #refreshedAtMs: number | undefined;
  #epoch: number;

  constructor(server: LockServer, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
    this.#epoch = server.epoch;
  }

  readonly init = (): Promise<void> => Promise.resolve();
  readonly ping = (): Promise<void> => Promise.resolve();
  readonly tryLock = async (): Promise<{ acquired: boolean }> => ({ acquired: false });
  readonly unlock = async (): Promise<'not_found'> => 'not_found';

  async close(): Promise<void> {
    this.isClosed = true;
  }

  async withdraw({ key, attempt }: Parameters<LockStore['withdraw']>[0]): Promise<void> {
    await this.#untilDone(() => {
      this.#server.leave(key, attempt.id);
    });
  }

  readonly leases: LeaseAbility = {
    acquire: async (call, signal) => {
      const sentAtMs = this.#clock.now();
      const answer = await this.#send('acquire', () => this.#server.acquire(call), signal);
      if (answer?.state !== 'granted') return { acquired: false };
      return { acquired: true, grant: this.#toGrant(answer, sentAtMs, call.ttlMs) };
    },
    renew: async ({ key, fencingToken = 0, ttlMs }, signal) => {
      const sentAtMs = this.#clock.now();
      const run = (): ReturnType<LockServer['renew']> =>
        this.#server.renew(key, fencingToken, ttlMs);
      const result = await this.#send('renew', run, signal);
      if (typeof result === 'string') return { status: result };
      return { status: 'renewed', grant: this.#toGrant(result, sentAtMs, ttlMs) };
    },
    release: ({ key, fencingToken = 0 }, signal) =>
      this.#release('release', { key, fencingToken }, signal),
  };

  readonly queue: LockQueue = {
    refreshEveryMs: 500,
    ask: (call, signal) => this.#ask(call, signal),
    refresh: async (keys, signal) => {
      const sentAtMs = this.#clock.now();
      const run = (): readonly string[] => this.#server.refresh(keys, this);
      const free = await this.#send('refresh', run, signal);
      const gapMs = sentAtMs - (this.#refreshedAtMs ?? sentAtMs);
      this.#refreshedAtMs = sentAtMs;
      if (gapMs > LAPSE_MS) this.#listener?.lapsed();
      return free;
    },
    leave: async (call) => {
      const { id } = call.attempt;
      if (this.#asking.has(id)) this.violations.push(`left during an ask: ${id}`);
      if (this.#over.get(id) === 'left') this.violations.push(`left twice: ${id}`);
      this.#over.set(id, 'left');
      this.open.delete(id);
      this.sent.push('leave');
      await this.#untilDone(() => {
        this.#server.leave(call.key, id);
      });
    },
    listen: (listener) => {
      if (this.#listener !== undefined) this.violations.push('a second listener');
      this.#listener = listener;
    },
  };

  readonly views: LockViews = {
    get: (key, signal) => this.#send('get', () => this.#server.view(key), signal),
    list: async ({ keyPrefix, pageSize }, signal) => {
      const run = (): readonly string[] =>
        this.#server.keys.filter((key) => key.startsWith(keyPrefix));
      const keys = await this.#send('list', run, signal);
      const locks = keys.slice(0, pageSize).map((key) => this.#server.view(key));
      return { locks: locks.filter((view) => view !== undefined), nextPageToken: undefined };
    },
    forceRelease: ({ key, grant: { fencingToken } }, signal) =>
      this.#release('forceRelease', { key, fencingToken }, signal),
  };

  wake(attemptId: string): void {
    const delayMs = this.network.wakeMs();
    if (delayMs === undefined) return;
    this.#clock.after(delayMs, () => this.#listener?.woken(attemptId));
  }

  /** The way to the server is back. */
  reconnected(): void {
    this.#listener?.missed();
  }

  #release(
    name: string,
    { key, fencingToken }: { readonly key: string; readonly fencingToken: number },
    signal: CancelSignal,
  ): ReturnType<LockViews['forceRelease']> {
    const outcome = this.#send(name, () => this.#server.release(key, fencingToken), signal);
    if (this.tellsReleases) this.#listener?.releasing?.(key);
    return outcome;
  }

  async #ask(call: AskCall, signal: CancelSignal): Promise<AskResult> {
    const { attempt, ttlMs } = call;
    const [over, sentAtMs] = [this.#over.get(attempt.id), this.#clock.now()];
    if (over !== undefined) this.violations.push(`asked after it was ${over}: ${attempt.id}`);
    if (this.#asking.has(attempt.id)) this.violations.push(`two asks at a time: ${attempt.id}`);
    this.#asking.add(attempt.id);
    this.asked.push(call.key);
    const run = (): ReturnType<LockServer['ask']> =>
      this.#server.ask(call, this, attempt.memory as number | undefined);
    try {
      const answer = await this.#send('ask', run, signal);
      if (answer.state === 'queued') {
        this.#refreshedAtMs ??= sentAtMs;
        attempt.memory = answer.score;
        this.open.add(attempt.id);
        return { state: 'queued', ahead: answer.ahead, freeAtMs: answer.freeAtMs };
      }
      this.#over.set(attempt.id, 'granted');
      this.open.delete(attempt.id);
      return { state: 'granted', grant: this.#toGrant(answer, sentAtMs, ttlMs) };
    } catch (error) {
      if (error instanceof StoreError && error.outcome === 'unknown') this.open.add(attempt.id);
      throw error;
    } finally {
      this.#asking.delete(attempt.id);
    }
  }

  /** The local end: counted from before the send, and never later than the server's own. */
  #toGrant(lock: { token: number; endsAtMs: number }, sentAtMs: number, ttlMs: number): Grant {
    const validUntilMs = Math.min(sentAtMs + ttlMs, lock.endsAtMs) - 1;
    return { fencingToken: lock.token, validUntilMs };
  }

  #send<T>(name: string, run: () => T, signal: CancelSignal): Promise<T> {
    this.sent.push(name);
    return new Promise((resolve, reject) => {
      const passage = this.network.passage();
      const limit = { afterMs: SEND_LIFE_MS, signals: [signal], clock: this.#clock };
      const release = whenOver(limit, () => {
        reject(failure('no reply came', 'deadline', 'unknown'));
      });
      const settle = (end: () => void): void => {
        release();
        end();
      };
      if (this.isClosed || passage === undefined) {
        const [text, kind] = this.isClosed
          ? (['closed', 'closed'] as const)
          : (['away', 'unavailable'] as const);
        this.#clock.after(1, () => {
          settle(() => {
            reject(failure(text, kind, 'not-applied'));
          });
        });
        return;
      }
      const notAfterMs = this.#clock.now() + SEND_LIFE_MS;
      const { epoch } = this.#server;
      if (passage.lost === 'request') return;
      this.#clock.after(passage.thereMs, () => {
        // A restart breaks the connections.
        if (this.#clock.now() > notAfterMs || this.#server.epoch !== epoch) return;
        const reply = this.#execute(run);
        if (passage.lost === 'reply') return;
        this.#clock.after(passage.backMs, () => {
          settle(() => {
            if ('error' in reply) reject(reply.error);
            else resolve(reply.value);
            this.#lookForLosses();
          });
        });
      });
    });
  }

  #execute<T>(run: () => T): { readonly value: T } | { readonly error: Error } {
    try {
      return { value: run() };
    } catch (error) {
      return { error: error as Error };
    }
  }

  #lookForLosses(): void {
    if (this.#epoch === this.#server.epoch) return;
    this.#epoch = this.#server.epoch;
    this.#listener?.lapsed();
  }

  /** As the withdrawals of a store do: again and again until the server has answered. */
  async #untilDone(run: () => void): Promise<void> {
    for (;;) {
      try {
        await this.#send('withdraw', run, new AbortController().signal);
        return;
      } catch {
        await new Promise<void>((resolve) => this.#clock.after(100, resolve));
      }
    }
  }
}

function failure(
  message: string,
  kind: 'deadline' | 'unavailable' | 'closed',
  outcome: 'unknown' | 'not-applied',
): StoreError {
  return new StoreError(message, { kind, outcome });
}
