import { slotOf } from '../../src/stores/redis/cluster/slots';
import type { LockStore } from '../../src/lock/lock-store';
import { createClusterStore } from '../cluster/cluster-fixture';
import { createSentinelStore } from '../stores/redis/redis-fixture';
import { eventually } from '../support/eventually';
import { type Promotion, watchPromotions } from '../support/promotion-watch';
import { RedisCluster } from '../support/redis-cluster';
import type { RedisServer } from '../support/redis-server';
import { SentinelSetup } from '../support/sentinel-setup';

type Watch = Awaited<ReturnType<typeof watchPromotions>>;

/** How a master is lost, or, in a cluster, loses its slots. */
export type Way = 'killed' | 'paused' | 'demoted' | 'resharded';

/** Servers whose master is lost under load. */
export interface FailoverSetup {
  /** A store on these servers. */
  createStore(): LockStore;
  /** The key of a lock that the lost master had, and the one that follows it now has. */
  probeKey(): string;
  /** The promotions of this run so far, whether they were asked for or not. */
  readonly promotions: readonly Promotion<RedisServer>[];
  /** Those of some keys that the present masters have. */
  present(keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** Loses the master; resolves once another one was promoted, and is among the promotions. */
  lose(way: Way): Promise<void>;
  stop(): Promise<void>;
}

/** Behind Sentinel. */
export class SentinelFailovers implements FailoverSetup {
  static readonly ways: readonly Way[] = ['killed', 'paused', 'demoted'];
  readonly #setup: SentinelSetup;
  readonly #minReplicas: number;
  readonly #watch: Watch;

  private constructor(setup: SentinelSetup, minReplicas: number, watch: Watch) {
    this.#setup = setup;
    this.#minReplicas = minReplicas;
    this.#watch = watch;
  }

  static async start(minReplicas: number): Promise<SentinelFailovers> {
    const setup = await SentinelSetup.start();
    return new SentinelFailovers(setup, minReplicas, await watchPromotions(setup.servers));
  }

  get promotions(): readonly Promotion<RedisServer>[] {
    return this.#watch.promotions;
  }

  createStore(): LockStore {
    return createSentinelStore(this.#setup, toMetadata(this.#minReplicas)).store;
  }

  probeKey(): string {
    return `probe${Math.random()}`;
  }

  async present(keys: readonly string[]): Promise<ReadonlySet<string>> {
    return presentOn((await this.#setup.master())!, keys);
  }

  async lose(way: Way): Promise<void> {
    const before = await this.#setup.master();
    if (way === 'killed') await before!.kill();
    else if (way === 'paused') before!.pause();
    else await this.#setup.ask(0, ['SENTINEL', 'FAILOVER', 'mymaster']);
    await eventually(
      async () => {
        const after = await this.#setup.master();
        if (after === before) throw new Error('no failover yet');
        expectNoted(this.promotions, after);
      },
      { withinMs: 30_000 },
    );
  }

  stop(): Promise<void> {
    this.#watch.stop();
    return this.#setup.stop();
  }
}

/** How many slots are moved to another master. */
const MOVED_SLOTS = 200;

/** In a cluster of three masters, of which the first one is lost. */
export class ClusterFailovers implements FailoverSetup {
  static readonly ways: readonly Way[] = ['killed', 'paused', 'demoted', 'resharded'];
  readonly #cluster: RedisCluster;
  readonly #minReplicas: number;
  readonly #watch: Watch;

  private constructor(cluster: RedisCluster, minReplicas: number, watch: Watch) {
    this.#cluster = cluster;
    this.#minReplicas = minReplicas;
    this.#watch = watch;
  }

  static async start(minReplicas: number): Promise<ClusterFailovers> {
    // A promoted replica needs as many replicas as its master did.
    const replicas = minReplicas + 1;
    const cluster = await RedisCluster.start({ replicas });
    return new ClusterFailovers(cluster, minReplicas, await watchPromotions(cluster.servers));
  }

  get promotions(): readonly Promotion<RedisServer>[] {
    return this.#watch.promotions;
  }

  createStore(): LockStore {
    return createClusterStore(this.#cluster, toMetadata(this.#minReplicas)).store;
  }

  probeKey(): string {
    for (;;) {
      const key = `probe${Math.random()}`;
      if (slotOf(key) < 5000) return key;
    }
  }

  async present(keys: readonly string[]): Promise<ReadonlySet<string>> {
    const masters = await this.#cluster.masters(this.#cluster.servers[1]);
    const found = new Set<string>();
    for (const { server, has } of masters) {
      const own = keys.filter((key) => has(slotOf(key)));
      for (const key of await presentOn(server, own)) found.add(key);
    }
    return found;
  }

  async lose(way: Way): Promise<void> {
    const [first, second, , replica] = this.#cluster.servers;
    if (way === 'resharded') {
      for (let slot = 0; slot < MOVED_SLOTS; slot += 1) {
        await this.#cluster.move(slot, { from: first!, to: second! });
      }
      return;
    }
    if (way === 'killed') await first!.kill();
    else if (way === 'paused') first!.pause();
    else await this.#cluster.ask(replica!, ['CLUSTER', 'FAILOVER', 'TAKEOVER']);
    await eventually(
      async () => {
        const master = await this.#cluster.masterOf(0, second);
        if (master === first) throw new Error('no failover yet');
        expectNoted(this.promotions, master);
      },
      { withinMs: 30_000 },
    );
  }

  stop(): Promise<void> {
    this.#watch.stop();
    return this.#cluster.stop();
  }
}

function expectNoted(
  promotions: readonly Promotion<RedisServer>[],
  master: RedisServer | undefined,
): void {
  const isNoted = promotions.some(({ server }) => server === master);
  if (!isNoted) throw new Error('the promotion is not noted yet');
}

function toMetadata(minReplicas: number): Readonly<Record<string, string>> {
  return { minReplicasToAcknowledge: String(minReplicas) };
}

async function presentOn(server: RedisServer, keys: readonly string[]) {
  const answers = await server.inspect((client) =>
    Promise.all(keys.map((key) => client.exists(key))),
  );
  return new Set(keys.filter((_, index) => answers[index] === 1));
}
