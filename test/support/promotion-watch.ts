import { createClient } from 'redis';

import type { RedisServer } from './redis-server';

/** How often each server is asked for its role, in milliseconds. */
const LOOK_MS = 50;

/** A replica that became a master. */
export interface Promotion<Server> {
  readonly server: Server;
  /** When it was last seen as a replica (`performance.now()`). */
  readonly fromMs: number;
}

/** What a watch asks, and whom it tells. */
export interface PromotionWatchOptions<Server> {
  /** Asks a server for its role. Rejects where it does not answer. */
  readonly isMaster: (server: Server) => Promise<boolean>;
  /** A server has answered a question of this time, before its role is judged. */
  readonly onAnswer?: (
    server: Server,
    time: { readonly fromMs: number; readonly toMs: number },
  ) => Promise<void>;
  readonly onPromotion?: (promotion: Promotion<Server>) => void;
}

/**
 * Notes each promotion among some servers, whoever caused it: Sentinel may fail over from a master that lives, if its
 * connection to that master was late (`down-after-milliseconds`), and what the old master confirmed meanwhile is lost.
 */
export class PromotionWatch<Server> {
  readonly promotions: Promotion<Server>[] = [];
  readonly #servers: readonly Server[];
  readonly #options: PromotionWatchOptions<Server>;
  readonly #lastReplica = new Map<Server, number>();
  readonly #asked = new Set<Server>();
  #timer: NodeJS.Timeout | undefined;

  constructor(servers: readonly Server[], options: PromotionWatchOptions<Server>) {
    this.#servers = servers;
    this.#options = options;
  }

  /** Looks again and again. */
  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
  }

  /** Looks at all servers that owe no answer. One that is paused answers later, and a killed one does not. */
  async look(): Promise<void> {
    await Promise.all(this.#servers.map((server) => this.#lookAt(server)));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #lookAt(server: Server): Promise<void> {
    if (this.#asked.has(server)) return;
    this.#asked.add(server);
    const fromMs = performance.now();
    const isMaster = await this.#options.isMaster(server).catch(() => undefined);
    this.#asked.delete(server);
    if (isMaster === undefined) return;
    await this.#options.onAnswer?.(server, { fromMs, toMs: performance.now() });
    if (isMaster) this.#noteMaster(server);
    else this.#lastReplica.set(server, fromMs);
  }

  #noteMaster(server: Server): void {
    const fromMs = this.#lastReplica.get(server);
    this.#lastReplica.delete(server);
    if (fromMs === undefined) return;
    const promotion = { server, fromMs };
    this.promotions.push(promotion);
    this.#options.onPromotion?.(promotion);
  }
}

/** A started watch over servers, with connections of its own, and what ends both. */
export async function watchPromotions(servers: readonly RedisServer[]): Promise<{
  readonly promotions: readonly Promotion<RedisServer>[];
  readonly stop: () => void;
}> {
  const connected = servers.map(async (server) => [server, await connectTo(server)] as const);
  const clients = new Map(await Promise.all(connected));
  const watch = new PromotionWatch(servers, {
    isMaster: async (server) =>
      (await clients.get(server)!.sendCommand<unknown[]>(['ROLE']))[0] === 'master',
  });
  await watch.look();
  watch.start();
  return {
    promotions: watch.promotions,
    stop: () => {
      watch.stop();
      for (const client of clients.values()) client.destroy();
    },
  };
}

async function connectTo({ port }: RedisServer) {
  const client = createClient({
    socket: { host: '127.0.0.1', port, reconnectStrategy: LOOK_MS },
    RESP: 2,
    disableOfflineQueue: true,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
