import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createClient } from 'redis';

import { eventually } from './eventually';
import { findFreePort } from './free-port';
import { type RedisServer, startRedisServer } from './redis-server';

/** The name that the Sentinels of a setup know their master by. */
export const MASTER_NAME = 'mymaster';

/** A replica gets its copy at once, where Redis would wait for others to come. */
const AT_ONCE = ['--repl-diskless-sync-delay', '0'];

/** Three real Sentinels over a master and two replicas, on free ports of the loopback interface. */
export class SentinelSetup {
  readonly servers: readonly RedisServer[];
  readonly sentinelPorts: readonly number[];
  readonly #sentinels: readonly ChildProcess[];
  readonly #folder: string;

  private constructor(options: {
    servers: readonly RedisServer[];
    sentinelPorts: readonly number[];
    sentinels: readonly ChildProcess[];
    folder: string;
  }) {
    this.servers = options.servers;
    this.sentinelPorts = options.sentinelPorts;
    this.#sentinels = options.sentinels;
    this.#folder = options.folder;
  }

  /**
   * Starts everything and waits until every Sentinel knows the replicas and the other Sentinels.
   *
   * @param sentinelPassword asked for by the Sentinels; empty for none
   */
  static async start(sentinelPassword = ''): Promise<SentinelSetup> {
    const master = await startRedisServer({ args: AT_ONCE });
    const replicaOf = ['--replicaof', '127.0.0.1', String(master.port)];
    const replicas = await Promise.all(
      [0, 1].map(() => startRedisServer({ args: [...AT_ONCE, ...replicaOf] })),
    );
    const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-sentinel-'));
    const sentinelPorts = [await findFreePort(), await findFreePort(), await findFreePort()];
    const sentinels: ChildProcess[] = [];
    for (const port of sentinelPorts) {
      const file = path.join(folder, `${port}.conf`);
      await writeFile(file, toConfiguration(port, { master: master.port, sentinelPassword }));
      const binary = process.env.HOLDFAST_REDIS_SERVER ?? 'redis-server';
      sentinels.push(spawn(binary, [file, '--sentinel'], { stdio: 'ignore' }));
    }
    const servers = [master, ...replicas];
    const setup = new SentinelSetup({ servers, sentinelPorts, sentinels, folder });
    await eventually(() => setup.#expectComplete(sentinelPassword), { withinMs: 20_000 });
    return setup;
  }

  /** `redisHost` of a component behind these Sentinels. */
  get redisHost(): string {
    return this.sentinelPorts.map((port) => `127.0.0.1:${port}`).join(',');
  }

  /** The server that a Sentinel names as master now. */
  async master(): Promise<RedisServer | undefined> {
    const [, port] = (await this.ask(0, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME])) as [
      string,
      string,
    ];
    return this.servers.find((server) => server.port === Number(port));
  }

  /** Asks one of the Sentinels. */
  async ask(index: number, command: readonly string[], password = ''): Promise<unknown> {
    const client = createClient({
      socket: { host: '127.0.0.1', port: this.sentinelPorts[index]! },
      RESP: 2,
      ...(password === '' ? {} : { password }),
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await client.sendCommand([...command]);
    } finally {
      client.destroy();
    }
  }

  /** Ends one Sentinel at once. */
  killSentinel(index: number): void {
    this.#sentinels[index]!.kill('SIGKILL');
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    for (const sentinel of this.#sentinels) sentinel.kill('SIGKILL');
    await Promise.all(this.servers.map((server) => server.stop()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #expectComplete(password: string): Promise<void> {
    const replication = await this.servers[0]!.inspect((client) => client.info('replication'));
    const online = replication.match(/state=online/g)?.length ?? 0;
    if (online !== 2) throw new Error(`${online} of 2 replicas have their copy`);
    for (const index of this.sentinelPorts.keys()) {
      const reply = await this.ask(index, ['SENTINEL', 'MASTER', MASTER_NAME], password);
      const fields = reply as string[];
      const valueOf = (name: string) => fields[fields.indexOf(name) + 1];
      const seen = [valueOf('num-slaves'), valueOf('num-other-sentinels')];
      if (seen.join() !== '2,2') throw new Error(`sentinel ${index} sees ${seen.join()}`);
    }
  }
}

function toConfiguration(
  port: number,
  { master, sentinelPassword }: { master: number; sentinelPassword: string },
): string {
  const password =
    sentinelPassword === ''
      ? ''
      : `requirepass ${sentinelPassword}\nsentinel sentinel-pass ${sentinelPassword}\n`;
  return `port ${port}
bind 127.0.0.1
protected-mode no
${password}sentinel monitor ${MASTER_NAME} 127.0.0.1 ${master} 2
sentinel down-after-milliseconds ${MASTER_NAME} 1000
sentinel failover-timeout ${MASTER_NAME} 5000
sentinel parallel-syncs ${MASTER_NAME} 1
`;
}
