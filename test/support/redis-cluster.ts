import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createClient } from 'redis';

import { eventually } from './eventually';
import { findFreePort } from './free-port';
import { RedisServer } from './redis-server';

/** Every cluster's number of slots. */
const SLOTS = 16_384;

/** Replicas copy at once. While the cluster is being made, no master is given up on a busy machine. */
const QUICK = [
  ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '30000'],
  ...['--repl-diskless-sync-delay', '0', '--cluster-replica-validity-factor', '0'],
];

/** After how long a master that does not answer is replaced, in milliseconds. */
const FAILOVER_MS = 2000;

/** The nodes talk to each other on the port that is so much higher. */
const BUS_OFFSET = 10_000;

/** The size of a cluster, and further arguments of its nodes. */
export interface ClusterOptions {
  readonly masters?: number;
  readonly replicas?: number;
  readonly args?: readonly string[];
  /** Arguments that depend on the port of a node. */
  readonly argsOf?: (port: number) => Promise<readonly string[]>;
  /** The server; the one of all tests if it is left out. */
  readonly binary?: string;
}

/** A real Redis Cluster on the loopback interface: three masters, and a replica of each unless told otherwise. */
export class RedisCluster {
  /** The masters of the beginning, and then their replicas in the same order. */
  readonly servers: readonly RedisServer[];
  readonly #admins = new Map<RedisServer, Admin>();
  #giveUpAfterMs = FAILOVER_MS;

  private constructor(servers: readonly RedisServer[]) {
    this.servers = servers;
  }

  /** Starts all nodes and waits until every one of them says that the cluster serves. */
  static async start(options: ClusterOptions = {}) {
    const { masters = 3, replicas = 1 } = options;
    const servers = await Promise.all(
      Array.from({ length: masters * (1 + replicas) }, () => startNode(options)),
    );
    const cluster = new RedisCluster(servers);
    await cluster.#assign(masters);
    await cluster.#join(masters);
    await eventually(() => cluster.expectComplete(), { withinMs: 45_000 });
    await cluster.giveUpAfter(FAILOVER_MS);
    return cluster;
  }

  /** `redisHost` of a component: two of the nodes. */
  get redisHost(): string {
    return this.servers
      .slice(0, 2)
      .map(({ port }) => `127.0.0.1:${port}`)
      .join(',');
  }

  /** The metadata of a component. */
  get metadata(): Readonly<Record<string, string>> {
    return { redisHost: this.redisHost, redisType: 'cluster' };
  }

  /** Runs a command on a node. */
  async ask(server: RedisServer, command: readonly string[]): Promise<unknown> {
    const client = await this.#clientOf(server);
    return client.sendCommand([...command]);
  }

  /** The client of a node, connected again where the node has been away. */
  async #clientOf(server: RedisServer): Promise<AdminClient> {
    let admin = this.#admins.get(server);
    if (admin === undefined) {
      admin = { client: createAdminClient(server.port), connecting: undefined };
      this.#admins.set(server, admin);
    }
    const { client } = admin;
    if (client.isReady) return client;
    // Not a new client: node-redis would make a class for it, which takes the processor for long.
    admin.connecting ??= client.connect().finally(() => {
      admin.connecting = undefined;
    });
    await admin.connecting;
    return client;
  }

  /** The slot of a key, as a node says it. */
  async slotOf(key: string): Promise<number> {
    return (await this.ask(this.servers[0]!, ['CLUSTER', 'KEYSLOT', key])) as number;
  }

  /** The masters and the slots that they serve, as a node that answers tells it. */
  async masters(asked = this.servers[0]!): Promise<readonly ServingMaster[]> {
    const reply = await this.ask(asked, ['CLUSTER', 'SLOTS']);
    return (reply as [number, number, [string, number]][]).map(([first, last, [, port]]) => ({
      server: this.servers.find((server) => server.port === port)!,
      has: (slot) => first <= slot && slot <= last,
    }));
  }

  /** The master of a slot, as a node that answers tells it. */
  async masterOf(slot: number, asked = this.servers[0]!): Promise<RedisServer> {
    const masters = await this.masters(asked);
    const master = masters.find(({ has }) => has(slot));
    if (master === undefined) throw new Error(`no master serves slot ${slot}`);
    return master.server;
  }

  /** The id by which the nodes know a node. */
  async idOf(server: RedisServer): Promise<string> {
    return (await this.ask(server, ['CLUSTER', 'MYID'])) as string;
  }

  /** Begins to move a slot: keys that are not on the one node are to be looked for on the other. */
  async beginMove(slot: number, { from, to }: Move): Promise<void> {
    const at = String(slot);
    await this.ask(to, ['CLUSTER', 'SETSLOT', at, 'IMPORTING', await this.idOf(from)]);
    await this.ask(from, ['CLUSTER', 'SETSLOT', at, 'MIGRATING', await this.idOf(to)]);
  }

  /** Moves the keys of a slot, and then the slot itself. */
  async endMove(slot: number, { from, to }: Move): Promise<void> {
    const at = String(slot);
    for (;;) {
      const keys = (await this.ask(from, ['CLUSTER', 'GETKEYSINSLOT', at, '10'])) as string[];
      if (keys.length === 0) break;
      const target = ['127.0.0.1', String(to.port), '', '0', '5000', 'KEYS'];
      await this.ask(from, ['MIGRATE', ...target, ...keys]);
    }
    const id = await this.idOf(to);
    await this.ask(to, ['CLUSTER', 'SETSLOT', at, 'NODE', id]);
    await this.ask(from, ['CLUSTER', 'SETSLOT', at, 'NODE', id]);
  }

  /** Moves a slot with all its keys, as resharding does. */
  async move(slot: number, ends: Move): Promise<void> {
    await this.beginMove(slot, ends);
    await this.endMove(slot, ends);
  }

  /** Sets after how long a master that does not answer is replaced, in milliseconds. */
  async giveUpAfter(timeoutMs: number): Promise<void> {
    this.#giveUpAfterMs = timeoutMs;
    await Promise.all(this.servers.map((server) => this.#setGiveUp(server)));
  }

  /** Starts a node again that was killed. It would not know after how long it is to give others up. */
  async restart(server: RedisServer): Promise<void> {
    await server.start();
    await this.#setGiveUp(server);
  }

  async #setGiveUp(server: RedisServer): Promise<void> {
    const timeoutMs = String(this.#giveUpAfterMs);
    await this.ask(server, ['CONFIG', 'SET', 'cluster-node-timeout', timeoutMs]);
  }

  /** Ends all nodes. */
  async stop(): Promise<void> {
    for (const { client } of this.#admins.values()) if (client.isOpen) client.destroy();
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  async #assign(masters: number): Promise<void> {
    const share = Math.ceil(SLOTS / masters);
    for (const [index, server] of this.servers.entries()) {
      await this.ask(server, ['CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1)]);
      if (index >= masters) continue;
      const slots = Array.from({ length: SLOTS }, (_, slot) => slot);
      const own = slots.slice(index * share, (index + 1) * share).map(String);
      await this.ask(server, ['CLUSTER', 'ADDSLOTS', ...own]);
    }
  }

  async #join(masters: number): Promise<void> {
    const [first, ...others] = this.servers;
    for (const { port } of others) {
      const ports = [port, port + BUS_OFFSET].map(String);
      await this.ask(first!, ['CLUSTER', 'MEET', '127.0.0.1', ...ports]);
    }
    const ids = await Promise.all(this.servers.map((server) => this.idOf(server)));
    for (const [index, server] of this.servers.entries()) {
      if (index < masters) continue;
      const replicate = ['CLUSTER', 'REPLICATE', ids[index % masters]!];
      await eventually(() => this.ask(server, replicate), { withinMs: 20_000 });
    }
  }

  /** Every node says that the cluster serves, and every replica has a copy. */
  async expectComplete(): Promise<void> {
    const count = this.servers.length;
    for (const server of this.servers) {
      const info = (await this.ask(server, ['CLUSTER', 'INFO'])) as string;
      const isComplete =
        info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${count}\r\n`);
      if (!isComplete) throw new Error(`node ${server.port} says ${info}`);
      const replication = (await this.ask(server, ['INFO', 'replication'])) as string;
      if (replication.includes('master_link_status:down')) throw new Error('a replica has no copy');
    }
  }
}

/** A master, and a range of slots that it serves. */
export interface ServingMaster {
  readonly server: RedisServer;
  readonly has: (slot: number) => boolean;
}

/** From which master to which a slot is moved. */
export interface Move {
  readonly from: RedisServer;
  readonly to: RedisServer;
}

type AdminClient = ReturnType<typeof createAdminClient>;

/** A client of a node, and its connecting while that lasts. */
interface Admin {
  readonly client: AdminClient;
  connecting: Promise<unknown> | undefined;
}

function createAdminClient(port: number) {
  const socket = { host: '127.0.0.1', port, reconnectStrategy: false as const };
  const client = createClient({ socket, RESP: 2 });
  client.on('error', () => undefined);
  return client;
}

async function startNode({ args = [], argsOf, binary }: ClusterOptions): Promise<RedisServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-redis-'));
  let port = await findFreePort();
  while (port + BUS_OFFSET > 65_535) port = await findFreePort();
  const own = (await argsOf?.(port)) ?? [];
  const server = new RedisServer({ port, folder, args: [...QUICK, ...args, ...own], binary });
  await server.start();
  return server;
}
