import { setTimeout as pause } from 'node:timers/promises';

import { ROUND_TRIP } from '../aims';
import type { Transport } from '../lock-requests';
import type { Contestant, Measure } from '../measure';
import type { Metrics } from '../metrics';
import { startOurs, type StartedTarget } from '../started-target';
import { median, quantile } from '../statistics';
import { pairsOf } from '../target';
import { withCpu, type Workbench } from '../workbench';
import type { Contender } from './contender';
import { type Etcd, startEtcd } from './etcd';
import { holdfastContenders } from './holdfast-contenders';
import { redisContenders } from './redis-contenders';

/** All hand-overs of one contender in a run, at one number of waiters. */
export interface HandOverRow {
  readonly contender: string;
  /** Empty for one that uses no sidecar. */
  readonly transport: Transport | '';
  readonly waitsBy: string;
  readonly waiters: number;
  readonly timesMs: readonly number[];
}

const ROUND_TRIPS = 300;
const US_A_MS = 1000;

/** Between two measurements: what the one before has left is done. */
const REST_MS = 100;

/** How fast a lock goes from one holder to the next, on a sidecar and an etcd of its own. */
export class HandOverRun {
  readonly rows: HandOverRow[] = [];
  readonly #bench: Workbench;
  readonly #closers: (() => Promise<void>)[] = [];
  #ours: StartedTarget | undefined;
  #etcd: Etcd | undefined;

  constructor(bench: Workbench) {
    this.#bench = bench;
  }

  /** Starts what is measured. Call {@link stop} afterwards, even if this rejects. */
  async start(): Promise<void> {
    const { nodes, tools, redis } = this.#bench;
    const [node] = nodes;
    if (node === undefined) throw new Error('no Node to measure');
    const place = { store: 'redis', redisPort: redis.port } as const;
    const ours = await startOurs({ name: 'ours', node, place, folder: tools.folder });
    this.#closers.push(() => ours.process.stop());
    this.#ours = ours;
    if (tools.etcd === undefined) return;
    const etcd = await startEtcd(tools.etcd);
    this.#closers.push(() => etcd.stop());
    this.#etcd = etcd;
  }

  /** The version of the etcd that was measured; undefined if there was none. */
  get etcdVersion(): string | undefined {
    return this.#etcd?.version;
  }

  /** Ends what was started. */
  async stop(): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
  }

  /** A measure for each transport and number of waiters; those who use no sidecar are in the first one's. */
  measures(): readonly Measure[] {
    const { transports, waiters } = this.#bench.options;
    return waiters.flatMap((count) =>
      transports.map((transport, index) => this.#measure(transport, count, index === 0)),
    );
  }

  #measure(transport: Transport, waiters: number, withOthers: boolean): Measure {
    const { redis, redisPid } = this.#bench;
    const ours = this.#ours;
    if (ours === undefined) throw new Error('not started');
    const own = holdfastContenders(ours, transport, [ours.pid, redisPid]);
    const others = withOthers ? redisContenders(redis.port, [redisPid]) : [];
    const etcd = withOthers && this.#etcd !== undefined ? [this.#etcd.contender] : [];
    const contestants = [
      this.#roundTrip(),
      ...own.map((each) => this.#contestant(each, { waiters, transport })),
      ...[...others, ...etcd].map((each) => this.#contestant(each, { waiters, transport: '' })),
    ];
    const pairs = pairsOf(contestants.map(({ name }) => name));
    return { name: `handover/${transport}/redis/${waiters}`, contestants, pairs };
  }

  #contestant(
    contender: Contender,
    { waiters, transport }: Pick<HandOverRow, 'waiters' | 'transport'>,
  ): Contestant {
    const { name, waitsBy, pids } = contender;
    const timesMs: number[] = [];
    this.rows.push({ contender: name, transport, waitsBy, waiters, timesMs });
    const run = async (): Promise<Metrics> => {
      await pause(REST_MS);
      const { handOvers } = this.#bench.options;
      const startedAtMs = performance.now();
      const { result, cpuUs } = await withCpu(pids, () =>
        contender.measure({ waiters, handOvers }),
      );
      const seconds = (performance.now() - startedAtMs) / 1000;
      timesMs.push(...result);
      const cpuMs = cpuUs.reduce((sum, each) => sum + each, 0) / US_A_MS;
      return { handOverMs: median(result), waitingCpuMs: cpuMs / seconds };
    };
    return { name, run };
  }

  /** A PING by the client library that Holdfast uses, one at a time. */
  #roundTrip(): Contestant {
    const run = async (): Promise<Metrics> =>
      this.#bench.redis.inspect(async (client) => {
        const timesMs: number[] = [];
        for (let count = 0; count < ROUND_TRIPS; count += 1) {
          const sentAtMs = performance.now();
          await client.ping();
          timesMs.push(performance.now() - sentAtMs);
        }
        return { handOverMs: median(timesMs) };
      });
    return { name: ROUND_TRIP, run };
  }
}

/** The figures of a row, in milliseconds. */
export function toFigures({ timesMs }: HandOverRow): {
  readonly medianMs: number;
  readonly p99Ms: number;
} {
  return { medianMs: median(timesMs), p99Ms: quantile(timesMs, 0.99) };
}
