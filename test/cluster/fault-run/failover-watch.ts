import { type FaultWindow, lossesOf, type Operation } from '../../faults/history';
import type { Breaking, Observed } from '../../faults/observe';
import type { RedisServer } from '../../support/redis-server';
import type { FaultyCluster, Role } from './faulty-cluster';

/** How often each node is asked for its role, in milliseconds. */
const LOOK_MS = 50;

/** Over how long a time before a promotion the copies of a busy machine may lack something, in milliseconds. */
const LAG_MS = 200;

/** A node that takes longer for an answer stands still, whoever keeps it from its work, in milliseconds. */
const STANDS_STILL_MS = 300;

/** A node as it was seen last. */
interface Seen {
  readonly role: Role;
  readonly atMs: number;
}

/** A promotion whose end is not yet known. */
interface Promotion {
  readonly promoted: RedisServer;
  readonly fromMs: number;
}

/**
 * Notes when a replica became a master, injected or not. What its old master had not copied by then is lost, and what that
 * one confirms until it has learned of its successor: so each loss lasts until all nodes agree. Notes also when a node did
 * not answer for a while, as on a busy machine.
 */
export class FailoverWatch implements Breaking {
  readonly windows: FaultWindow[] = [];
  readonly #server: FaultyCluster;
  readonly #seen = new Map<RedisServer, Seen>();
  readonly #asked = new Set<RedisServer>();
  #promotions: readonly Promotion[] = [];
  #timer: NodeJS.Timeout | undefined;
  #ending: Promise<void> | undefined;

  private constructor(server: FaultyCluster) {
    this.#server = server;
  }

  /** A watch that has seen the role of every node: one may be promoted as soon as the run begins. */
  static async of(server: FaultyCluster): Promise<FailoverWatch> {
    const watch = new FailoverWatch(server);
    await Promise.all(server.cluster.servers.map((node) => watch.#look(node)));
    return watch;
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (const server of this.#server.cluster.servers) void this.#look(server);
    }, LOOK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#ending;
  }

  async #look(server: RedisServer): Promise<void> {
    // A node that is paused answers later, and one that is killed does not.
    if (this.#asked.has(server)) return;
    this.#asked.add(server);
    const atMs = performance.now();
    const role = await this.#server.roleOf(server).catch(() => undefined);
    this.#asked.delete(server);
    if (role === undefined) return;
    await this.#noteStandstill(server, { fromMs: atMs, toMs: performance.now() });
    const before = this.#seen.get(server);
    this.#seen.set(server, { role, atMs });
    if (before?.role.isMaster !== false || !role.isMaster) return;
    this.#promotions = [...this.#promotions, { promoted: server, fromMs: before.atMs - LAG_MS }];
    this.#ending ??= this.#end().finally(() => {
      this.#ending = undefined;
    });
    // The run fails with it at its end.
    this.#ending.catch(() => undefined);
  }

  async #noteStandstill(
    server: RedisServer,
    time: Pick<FaultWindow, 'fromMs' | 'toMs'>,
  ): Promise<void> {
    if (time.toMs - time.fromMs < STANDS_STILL_MS) return;
    const concerns = await this.#server.locksOf(server, server).catch(() => undefined);
    if (concerns === undefined) return;
    this.windows.push({ kind: 'node stood still', ...time, losesData: false, concerns });
  }

  /** Waits until all nodes agree, and notes what was lost by then, also of promotions that come meanwhile. */
  async #end(): Promise<void> {
    while (this.#promotions.length > 0) {
      await this.#server.untilWhole();
      const toMs = performance.now();
      const ended = this.#promotions;
      this.#promotions = [];
      for (const promotion of ended) this.windows.push(await this.#toWindow(promotion, toMs));
    }
  }

  async #toWindow({ promoted, fromMs }: Promotion, toMs: number): Promise<FaultWindow> {
    const concerns = await this.#server.locksOf(promoted, promoted);
    return { kind: 'replica promoted', fromMs, toMs, losesData: true, concerns };
  }
}

/**
 * What an old master confirmed and its successor had no copy of was taken back: an unlocked lock may be held again, and a
 * renewed lease may end as before. Nobody knows whether, so these calls count as of unknown outcome.
 */
export function withoutTakenBack(seen: Observed): Observed {
  const isTakenBack = ({ key, answer, calledAtMs, returnedAtMs }: Operation): boolean =>
    (answer === 'unlocked' || answer === 'renewed') &&
    lossesOf(seen.faults, key).some(
      ({ fromMs, toMs }) => calledAtMs <= toMs && returnedAtMs >= fromMs,
    );
  return withoutAnswers(seen, isTakenBack);
}

/**
 * A listing asks one master after the other. It misses a lock that goes meanwhile from one that is still to be asked to one
 * that was asked: that it shows none says nothing about the locks whose slots were being moved.
 */
export function withoutMissed(seen: Observed): Observed {
  const moves = seen.faults.filter(({ kind }) => kind === 'slots moved');
  return withoutAnswers(
    seen,
    ({ kind, answer, isPart, key, calledAtMs, returnedAtMs }) =>
      kind === 'get' &&
      answer === 'free' &&
      isPart === true &&
      moves.some(
        ({ fromMs, toMs, concerns }) =>
          calledAtMs <= toMs && returnedAtMs >= fromMs && concerns?.(key) === true,
      ),
  );
}

/** The same calls, of which some count as of unknown outcome. */
function withoutAnswers(seen: Observed, isUnknown: (each: Operation) => boolean): Observed {
  const operations = seen.account.operations.map((each) =>
    isUnknown(each) ? { ...each, answer: 'unknown' as const, lateMs: 0 } : each,
  );
  return {
    ...seen,
    account: { ...seen.account, operations },
    history: { ...seen.history, operations },
  };
}
