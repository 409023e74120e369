import { QUEUE_SUFFIX, TOKEN_KEY } from '../../src/stores/redis/side-keys';
import { eventually } from '../../test/support/eventually';
import type { InspectingClient, RedisServer } from '../../test/support/redis-server';
import {
  acquireScript,
  askScript,
  refreshScript,
  releaseScript,
  renewScript,
} from '../../test/support/plain-scripts';

/** Scripts that took longer are in the slow log, in µs. */
const SLOW_US = 200;
const SLOWEST_KEPT = 100_000;
const US_A_MS = 1000;

const QUEUED_WITHIN_MS = 120_000;

/** Longer than any marker or presence lives, in milliseconds. */
const GONE_WITHIN_MS = 30_000;

/** For how long Redis was busy, in milliseconds. */
export interface Blocking {
  /** The longest run of a script, by Redis's own clock. {@link SLOW_US} if none took longer. */
  readonly longestScriptMs: number;
  /** Its name; empty if none took longer. */
  readonly longestScript: string;
}

/** Watches one Redis during a part of the benchmark. */
export class RedisWatch {
  readonly #redis: RedisServer;

  constructor(redis: RedisServer) {
    this.#redis = redis;
  }

  /** Runs something, and tells for how long Redis was busy meanwhile. */
  async blockingOf(act: () => Promise<void>): Promise<Blocking> {
    await this.#redis.inspect(async (client) => {
      await client.configSet({
        'slowlog-log-slower-than': String(SLOW_US),
        'slowlog-max-len': String(SLOWEST_KEPT),
      });
      await client.sendCommand(['SLOWLOG', 'RESET']);
    });
    await act();
    return this.#redis.inspect(readLongestScript);
  }

  /** The memory that Redis uses for its data, in bytes. */
  usedBytes(): Promise<number> {
    return this.#redis.inspect(async (client) => {
      return Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1] ?? NaN);
    });
  }

  /** How many scripts Redis has run since it was started. */
  scriptRuns(): Promise<number> {
    return this.#redis.inspect(async (client) => {
      const stats = await client.info('commandstats');
      const calls = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)];
      return calls.reduce((sum, [, count]) => sum + Number(count), 0);
    });
  }

  /** Resolves once so many tickets are in a queue. */
  async untilQueued(queueKey: string, count: number): Promise<void> {
    await this.#redis.inspect((client) =>
      eventually(
        async () => {
          const queued = await client.zCard(queueKey);
          if (queued !== count) throw new Error(`${queued} of ${count} are in the queue`);
        },
        { withinMs: QUEUED_WITHIN_MS },
      ),
    );
  }

  /** Resolves once so many queues exist. */
  async untilQueues(count: number): Promise<void> {
    await this.#redis.inspect((client) =>
      eventually(
        async () => {
          const queues = await keysLike(client, `*${QUEUE_SUFFIX}`);
          if (queues.length !== count) throw new Error(`${queues.length} of ${count} queues exist`);
        },
        { withinMs: QUEUED_WITHIN_MS },
      ),
    );
  }

  /** Resolves once nothing is left but the last fencing token; rejects with the keys that stay. */
  async untilEmpty(): Promise<void> {
    await this.#redis.inspect((client) =>
      eventually(
        async () => {
          const left = (await keysLike(client, '*')).filter((key) => key !== TOKEN_KEY);
          if (left.length > 0) throw new Error(`left in Redis: ${left.slice(0, 5).join(', ')} …`);
        },
        { withinMs: GONE_WITHIN_MS },
      ),
    );
  }
}

/** By SCAN, which names a key twice if the table is resized meanwhile. */
async function keysLike(client: InspectingClient, pattern: string): Promise<readonly string[]> {
  const keys = new Set<string>();
  for await (const batch of client.scanIterator({ MATCH: pattern, COUNT: 1000 })) {
    for (const key of batch) keys.add(key);
  }
  return [...keys];
}

/** An entry of SLOWLOG GET: id, time, duration in µs, command and arguments, … */
type SlowEntry = readonly [number, number, number, readonly string[], ...unknown[]];

/** The purposes of the scripts, by their hashes. */
const NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    acquire: acquireScript,
    ask: askScript,
    refresh: refreshScript,
    release: releaseScript,
    renew: renewScript,
  }).map(([name, { sha1 }]) => [sha1, name]),
);

async function readLongestScript(client: InspectingClient): Promise<Blocking> {
  const reply: unknown = await client.sendCommand(['SLOWLOG', 'GET', '-1']);
  const scripts = (reply as SlowEntry[]).filter(([, , , [name = '']]) => /^eval/i.test(name));
  const [longest] = scripts.sort(([, , one], [, , other]) => other - one);
  if (longest === undefined) return { longestScriptMs: SLOW_US / US_A_MS, longestScript: '' };
  const [, , us, [, script = '']] = longest;
  return { longestScriptMs: us / US_A_MS, longestScript: NAMES[script] ?? 'another' };
}
