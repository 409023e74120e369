import { createClient } from 'redis';

import type { RedisServer } from '../support/redis-server';

/** How often each server is asked for its role, in milliseconds. */
const LOOK_MS = 50;

/** A replica that became a master. */
export interface Promotion {
  readonly port: number;
  /** When it was last seen as a replica (`performance.now()`). */
  readonly fromMs: number;
}

/** Asks a server for its role: true for a master. Rejects where it does not answer. */
export type AskRole = () => Promise<boolean>;

/**
 * Notes each promotion among some servers, whoever caused it: Sentinel may fail over from a master that lives, if its
 * connection to that master was late (`down-after-milliseconds`), and what the old master confirmed meanwhile is lost.
 */
export class PromotionWatch {
  readonly promotions: Promotion[] = [];
  readonly #askers: ReadonlyMap<number, AskRole>;
  readonly #lastReplica = new Map<number, number>();
  readonly #asked = new Set<number>();
  readonly #close: () => void;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param askers by the server's port
   * @param close called at the end
   */
  constructor(askers: ReadonlyMap<number, AskRole>, close: () => void = () => undefined) {
    this.#askers = askers;
    this.#close = close;
  }

  /** Looks once at every server, and then again and again. */
  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
  }

  /** Looks at all servers that owe no answer. One that is paused answers later, and a killed one does not. */
  async look(): Promise<void> {
    await Promise.all(Array.from(this.#askers, ([port, ask]) => this.#lookAt(port, ask)));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#close();
  }

  async #lookAt(port: number, ask: AskRole): Promise<void> {
    if (this.#asked.has(port)) return;
    this.#asked.add(port);
    const atMs = performance.now();
    const isMaster = await ask().catch(() => undefined);
    this.#asked.delete(port);
    if (isMaster === false) this.#lastReplica.set(port, atMs);
    if (isMaster !== true) return;
    const fromMs = this.#lastReplica.get(port);
    this.#lastReplica.delete(port);
    if (fromMs !== undefined) this.promotions.push({ port, fromMs });
  }
}

/** A started watch over real servers. `stop` closes its connections. */
export async function watchPromotions(servers: readonly RedisServer[]): Promise<PromotionWatch> {
  const clients = await Promise.all(servers.map(connectTo));
  const askers = servers.map(({ port }, index): [number, AskRole] => [
    port,
    async () => (await clients[index]!.sendCommand<unknown[]>(['ROLE']))[0] === 'master',
  ]);
  const watch = new PromotionWatch(new Map(askers), () => {
    for (const client of clients) client.destroy();
  });
  await watch.start();
  return watch;
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
