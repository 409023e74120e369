import { mkdtemp, rm } from 'node:fs/promises';
import { setPriority, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { type RedisServer, startRedisServer } from '../../test/support/redis-server';
import { readCpuUs, readMemory } from '../process-usage';
import { startOurs, type StartedTarget } from '../started-target';
import { portOf } from '../target';
import { NativeClient } from './native-client';
import { RedisWatch } from './redis-watch';

/** A sidecar allows 10,000 calls of a kind. They come from several programs. */
const CONNECTIONS = 10;

/** So many calls compile the code that is measured. */
const WARM_UP_CALLS = 200;

const BYTES_A_MB = 1e6;
const US_A_SECOND = 1e6;
const PERCENT = 100;

/** The cost of calls that wait or hold, while nothing happens to them. */
export interface Standing {
  /** Resident memory of the sidecar for each of them, in bytes. */
  readonly sidecarBytesEach: number;
  /** Memory of Redis for each of them, in bytes. */
  readonly redisBytesEach: number;
  /** Resident memory of the sidecar, in MB. */
  readonly rssMb: number;
  /** Shares of a processor, in percent. */
  readonly sidecarCpuPercent: number;
  readonly redisCpuPercent: number;
}

/** The highest priority: root only. */
const FIRST = -20;

/** Keeps the work of other programs from being counted as time of a script, where that is possible. */
function spare(pid: number): void {
  try {
    setPriority(pid, FIRST);
  } catch {
    // Then the longest script includes the time in which Redis had no processor.
  }
}

/** A sidecar with a Redis of its own, and the clients of one part of the benchmark. */
export class World {
  readonly watch: RedisWatch;
  readonly clients: readonly NativeClient[];
  readonly #redis: RedisServer;
  readonly #redisPid: number;
  readonly #sidecar: StartedTarget;
  readonly #folder: string;
  #rssMb = 0;
  #redisBytes = 0;

  private constructor(options: {
    readonly redis: RedisServer;
    readonly redisPid: number;
    readonly sidecar: StartedTarget;
    readonly folder: string;
  }) {
    this.#redis = options.redis;
    this.#redisPid = options.redisPid;
    this.#sidecar = options.sidecar;
    this.#folder = options.folder;
    this.watch = new RedisWatch(options.redis);
    const port = portOf(options.sidecar, 'grpc');
    this.clients = Array.from({ length: CONNECTIONS }, () => new NativeClient(port));
  }

  /** Starts and warms up; {@link stop} is to be called afterwards. */
  static async start(): Promise<World> {
    const redis = await startRedisServer();
    const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-waiters-'));
    const node = { path: process.execPath, version: process.versions.node };
    const place = { store: 'redis', redisPort: redis.port } as const;
    const sidecar = await startOurs({ name: 'ours', node, place, folder });
    const redisPid = await redis.inspect(async (client) => {
      // The first locks, which show that the sidecar is ready, are held for a day.
      await client.flushDb();
      return Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]);
    });
    spare(redisPid);
    const world = new World({ redis, redisPid, sidecar, folder });
    await world.#warmUp();
    return world;
  }

  /** The client of the call with this number: the first calls have the first connection, and so on. */
  clientOf(index: number, count: number): NativeClient {
    const client = this.clients[Math.floor((index * CONNECTIONS) / count)];
    if (client === undefined) throw new Error(`no connection for ${index} of ${count}`);
    return client;
  }

  /** Takes note of the memory before anybody waits or holds. */
  async noteMemory(): Promise<void> {
    this.#rssMb = (await readMemory(this.#sidecar.pid)).rssMb;
    this.#redisBytes = await this.watch.usedBytes();
  }

  /** Their cost, measured for so many seconds. */
  async watchStanding(count: number, seconds: number): Promise<Standing> {
    const before = await this.#readCpu();
    await pause(seconds * 1000);
    const after = await this.#readCpu();
    const { rssMb } = await readMemory(this.#sidecar.pid);
    const percent = (from: number, to: number) => ((to - from) / US_A_SECOND / seconds) * PERCENT;
    return {
      sidecarBytesEach: ((rssMb - this.#rssMb) * BYTES_A_MB) / count,
      redisBytesEach: ((await this.watch.usedBytes()) - this.#redisBytes) / count,
      rssMb,
      sidecarCpuPercent: percent(before.sidecarUs, after.sidecarUs),
      redisCpuPercent: percent(before.redisUs, after.redisUs),
    };
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.#sidecar.process.stop();
    await this.#redis.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #readCpu(): Promise<{ readonly sidecarUs: number; readonly redisUs: number }> {
    const [sidecarUs, redisUs] = await Promise.all([
      readCpuUs(this.#sidecar.pid),
      readCpuUs(this.#redisPid),
    ]);
    return { sidecarUs, redisUs };
  }

  async #warmUp(): Promise<void> {
    for (let index = 0; index < WARM_UP_CALLS; index += 1) {
      const lock = { resourceId: 'warm-up', lockOwner: `warm-up-${index}` };
      const client = this.clientOf(index, WARM_UP_CALLS);
      await client.acquire(lock, { ttlMs: 60_000 });
      await client.release(lock);
    }
  }
}
