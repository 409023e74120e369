import { slotOf } from '../../../src/stores/redis/cluster/slots';
import type { Random } from '../../faults/random';
import { eventually } from '../../support/eventually';
import { RedisCluster } from '../../support/redis-cluster';
import type { RedisServer } from '../../support/redis-server';

/** How long a failover, or the way back to a whole cluster, may take on a busy machine, in milliseconds. */
const WHOLE_MS = 60_000;

/** How many slots beside those of some locks are moved at a time. */
const MOVED_SLOTS = 20;

/** The role of a node, as itself says it. */
interface Role {
  readonly isMaster: boolean;
  /** The port of its master, if it is a replica. */
  readonly masterPort: number | undefined;
}

/**
 * A cluster whose nodes tell no host, only ports: a sidecar reaches all of them at the address that it has asked first, so
 * that each can have a network of its own. While a master is away, the others serve, so that no fault of one excuses what
 * another does. What a node has answered is in its file, which outlives the process.
 */
export class FaultyCluster {
  readonly cluster: RedisCluster;

  private constructor(cluster: RedisCluster) {
    this.cluster = cluster;
  }

  static async start(): Promise<FaultyCluster> {
    const args = [
      ...['--cluster-preferred-endpoint-type', 'unknown-endpoint'],
      ...['--cluster-require-full-coverage', 'no'],
      // Written before the answer. A kill takes no page from the kernel, and the disk's pauses are no fault of the run.
      ...['--appendonly', 'yes', '--appendfsync', 'no'],
    ];
    return new FaultyCluster(await RedisCluster.start({ args }));
  }

  get ports(): readonly number[] {
    return this.cluster.servers.map(({ port }) => port);
  }

  /** The metadata of a component of a sidecar whose network has an address of its own. */
  metadataAt(host: string): Readonly<Record<string, string>> {
    const redisHost = this.ports.map((port) => `${host}:${port}`).join(',');
    return { redisHost, redisType: 'cluster' };
  }

  /** The masters that serve slots. */
  async masters(asked?: RedisServer): Promise<readonly RedisServer[]> {
    const ranges = await this.cluster.masters(asked);
    return [...new Set(ranges.map(({ server }) => server))];
  }

  async pickMaster(random: Random): Promise<RedisServer> {
    return random.pick(await this.masters());
  }

  /** Whether a lock is in one of the slots that a master has now. */
  async locksOf(master: RedisServer, asked?: RedisServer): Promise<(key: string) => boolean> {
    const ranges = await this.cluster.masters(asked);
    const own = ranges.filter(({ server }) => server === master);
    return (key) => own.some(({ has }) => has(slotOf(key)));
  }

  async roleOf(server: RedisServer): Promise<Role> {
    const [role, , port] = (await this.cluster.ask(server, ['ROLE'])) as [string, unknown, unknown];
    const isMaster = role === 'master';
    return { isMaster, masterPort: isMaster ? undefined : Number(port) };
  }

  /** Makes a replica take the slots of its master without asking anybody. */
  async demote(master: RedisServer): Promise<void> {
    for (const server of this.#beside(master)) {
      const { masterPort } = await this.roleOf(server);
      if (masterPort !== master.port) continue;
      await this.cluster.ask(server, ['CLUSTER', 'FAILOVER', 'TAKEOVER']);
      return;
    }
    throw new Error('a master has no replica');
  }

  /** Waits until another node says that a master has no slots any more. */
  async untilReplaced(master: RedisServer): Promise<void> {
    const [asked] = this.#beside(master);
    await eventually(
      async () => {
        const masters = await this.masters(asked);
        if (masters.includes(master)) throw new Error('no failover yet');
      },
      { withinMs: WHOLE_MS },
    );
  }

  /** Waits until every node serves, and every master has a replica with a copy. */
  async untilWhole(): Promise<void> {
    await eventually(
      async () => {
        await this.cluster.expectComplete();
        const roles = await Promise.all(this.cluster.servers.map((server) => this.roleOf(server)));
        const replicas = roles.filter(({ isMaster }) => !isMaster);
        const masters = new Set(replicas.map(({ masterPort }) => masterPort));
        if (masters.size !== roles.length / 2) throw new Error('a master has no replica');
      },
      { withinMs: WHOLE_MS },
    );
  }

  /** Moves the slots of all locks that were ever used from a master to another, and some more. */
  async moveSlots(from: RedisServer, random: Random): Promise<void> {
    const to = random.pick((await this.masters()).filter((server) => server !== from));
    const ranges = await this.cluster.masters();
    const isThere = (slot: number): boolean =>
      ranges.some(({ server, has }) => server === from && has(slot));
    const used = ((await this.cluster.ask(from, ['KEYS', '*'])) as string[]).map(slotOf);
    const others = Array.from({ length: MOVED_SLOTS }, () => random.between(0, 16_383));
    for (const slot of new Set([...used, ...others])) {
      if (isThere(slot)) await this.cluster.move(slot, { from, to });
    }
  }

  stop(): Promise<void> {
    return this.cluster.stop();
  }

  #beside(server: RedisServer): readonly RedisServer[] {
    return this.cluster.servers.filter((other) => other !== server);
  }
}
