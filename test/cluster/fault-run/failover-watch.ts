import { type FaultWindow, lossesOf, type Operation } from '../../faults/history';
import type { Breaking, Observed } from '../../faults/observe';
import { type Promotion, PromotionWatch } from '../../support/promotion-watch';
import type { RedisServer } from '../../support/redis-server';
import type { FaultyCluster } from './faulty-cluster';

/** Over how long a time before a promotion the copies of a busy machine may lack something, in milliseconds. */
const LAG_MS = 200;

/** A node that takes longer for an answer stands still, whoever keeps it from its work, in milliseconds. */
const STANDS_STILL_MS = 300;

/**
 * Notes when a replica became a master, injected or not. What its old master had not copied by then is lost, and what that
 * one confirms until it has learned of its successor: so each loss lasts until all nodes agree. Notes also when a node did
 * not answer for a while, as on a busy machine.
 */
export class FailoverWatch implements Breaking {
  readonly windows: FaultWindow[] = [];
  readonly #server: FaultyCluster;
  readonly #watch: PromotionWatch<RedisServer>;
  /** Those whose end is not yet known. */
  #promotions: readonly Promotion<RedisServer>[] = [];
  #ending: Promise<void> | undefined;

  private constructor(server: FaultyCluster) {
    this.#server = server;
    this.#watch = new PromotionWatch(server.cluster.servers, {
      isMaster: async (node) => (await server.roleOf(node)).isMaster,
      onAnswer: (node, time) => this.#noteStandstill(node, time),
      onPromotion: (promotion) => {
        this.#notePromotion(promotion);
      },
    });
  }

  /** A watch that has seen the role of every node: one may be promoted as soon as the run begins. */
  static async of(server: FaultyCluster): Promise<FailoverWatch> {
    const watch = new FailoverWatch(server);
    await watch.#watch.look();
    return watch;
  }

  start(): void {
    this.#watch.start();
  }

  async stop(): Promise<void> {
    this.#watch.stop();
    await this.#ending;
  }

  #notePromotion(promotion: Promotion<RedisServer>): void {
    this.#promotions = [...this.#promotions, promotion];
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

  async #toWindow(
    { server: promoted, fromMs }: Promotion<RedisServer>,
    toMs: number,
  ): Promise<FaultWindow> {
    const concerns = await this.#server.locksOf(promoted, promoted);
    const time = { fromMs: fromMs - LAG_MS, toMs };
    return { kind: 'replica promoted', ...time, losesData: true, concerns };
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
