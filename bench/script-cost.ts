import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

import { MetadataProperties } from '../src/components/metadata-properties';
import { createAttempt } from '../src/lock/attempt';
import type { TryLockCall } from '../src/lock/lock-store';
import { LockCommands } from '../src/stores/redis/lock-commands';
import { openLink, type RedisClient } from '../src/stores/redis/redis-link';
import { parseRedisSettings } from '../src/stores/redis/redis-settings';
import { defineScript } from '../src/stores/redis/redis-script';
import { TOKEN_KEY, toCompanionKey, toMarkerKey, toQueueKey } from '../src/stores/redis/side-keys';
import { createScript, type ScriptValues } from '../test/support/long-run/script-command';
import { runScript, type ScriptRun } from '../test/support/long-run/script-run';
import { startRedisServer } from '../test/support/redis-server';

/** Many short rounds: the median is then of rounds in which Redis kept its processor. */
const ROUNDS = 150;
const CALLS_A_ROUND = 100;

const callOf = (key: string): TryLockCall => ({
  key,
  owner: 'random_id_abc123',
  ttlMs: 60_000,
  attempt: createAttempt(),
});
const keyOf = (): string => `lock||myapp||${randomUUID()}`;
const stampOf = (number: number) => {
  const notAfterMs = Date.now() + 3000;
  return { number, notAfterMs, markUntilMs: notAfterMs + 7000 };
};

/** A measured case: prepares a call, and returns the function that sends it. */
type Case = (client: RedisClient, commands: LockCommands) => Promise<() => Promise<unknown>>;

const CASES: Readonly<Record<string, Case>> = {
  'SET NX EX, taken (daprd)': async (client) => {
    const key = keyOf();
    return () => client.set(key, 'o', { condition: 'NX', expiration: { type: 'EX', value: 60 } });
  },
  'SET NX EX, refused (daprd)': async (client) => {
    return () =>
      client.set('held', 'o', { condition: 'NX', expiration: { type: 'EX', value: 60 } });
  },
  'acquire, first send, taken': async (client, commands) => {
    // The case below makes grants look.
    await client.set(TOKEN_KEY, '0');
    const call = callOf(keyOf());
    return () => commands.acquire(client, call, stampOf(0));
  },
  'acquire, first send, taken while others wait': async (client, commands) => {
    const call = callOf(keyOf());
    return async () => {
      await client.set(TOKEN_KEY, `look:${Date.now() + 60_000}:0`);
      return commands.acquire(client, call, stampOf(0));
    };
  },
  'the least that takes a lock with a token and looks each time': async (client) => {
    const { key, owner, ttlMs, attempt } = callOf(keyOf());
    const keys = [key, toCompanionKey(key), toMarkerKey(key, attempt.id), toQueueKey(key)];
    const args = [owner, attempt.id, ttlMs, Date.now() + 3000].map(String);
    return () => client.evalSha(LEAST.sha1, { keys, arguments: args });
  },
  'acquire, first send, refused': async (client, commands) => {
    const call = callOf('held');
    return () => commands.acquire(client, call, stampOf(0));
  },
  'acquire, repeated, recognised': async (client, commands) => {
    const call = callOf(keyOf());
    await commands.acquire(client, call, stampOf(0));
    return () => commands.acquire(client, call, stampOf(1));
  },
  'release, first send, unlocked': async (client, commands) => {
    const call = callOf(keyOf());
    await commands.acquire(client, call, stampOf(0));
    return () => commands.release(client, { ...call, attempt: createAttempt() }, stampOf(0));
  },
  'release, first send, not found': async (client, commands) => {
    const call = callOf(keyOf());
    return () => commands.release(client, call, stampOf(0));
  },
  'release, repeated, unlocked': async (client, commands) => {
    const call = callOf(keyOf());
    await commands.acquire(client, call, stampOf(0));
    const release = { ...call, attempt: createAttempt() };
    await commands.release(client, release, stampOf(0));
    return () => commands.release(client, release, stampOf(1));
  },
  withdraw: async (client, commands) => {
    const call = callOf(keyOf());
    await commands.acquire(client, call, stampOf(0));
    return () => commands.withdraw(client, call, Date.now() + 3000);
  },
};

/**
 * The parts that every script needs if it looks for markers and queues at each grant: the time, the lock, the look, the
 * token and its counter, the companion. It leaves out what the rules need besides: see docs/decisions/0012.
 */
const LEAST = defineScript(`
local time = redis.call('time')
if time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(ARGV[4]) then return -3 end
local ends = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3])
if not redis.call('set', KEYS[1], ARGV[1], 'nx', 'pxat', ends) then return 0 end
if redis.pcall('exists', KEYS[3], KEYS[4]) ~= 0 then return 0 end
local token = string.format('%s%06d', time[1], time[2])
if redis.pcall('set', '${TOKEN_KEY}', token, 'get') == token then return 0 end
redis.call('set', KEYS[2], ARGV[2] .. ':' .. ends .. ':' .. token, 'pxat', ends)
return token`);

/** Redis's own time for what it ran since RESETSTAT: that of the commands clients sent, in µs. */
async function redisTime(client: RedisClient): Promise<number> {
  const stats = await client.info('commandstats');
  const sent = [...stats.matchAll(/cmdstat_(evalsha|eval|set):calls=\d+,usec=(\d+)/g)];
  const scripts = sent.filter(([, name]) => name !== 'set');
  const counted = scripts.length > 0 ? scripts : sent;
  return counted.reduce((sum, [, , usec]) => sum + Number(usec), 0);
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? NaN;
}

const command = createScript({
  name: 'bench:scripts',
  description: "The time that Redis spends on each script, beside a plain SET's.",
  example: '--quiet',
});

async function main(_values: ScriptValues, script: ScriptRun): Promise<void> {
  script.begin({ total: ROUNDS, unit: 'rounds' });
  const redis = await startRedisServer();
  const settings = parseRedisSettings(
    new MetadataProperties([['redisHost', `127.0.0.1:${redis.port}`]]),
  );
  const link = await openLink(settings, settings.addresses[0], new AbortController().signal);
  const { client } = link;
  const commands = new LockCommands();
  await client.set('held', 'other');
  await client.scriptLoad(LEAST.source);
  const times = new Map<string, number[]>();
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      script.advance(round);
      for (const [name, prepare] of Object.entries(CASES)) {
        const sends = await Promise.all(
          Array.from({ length: CALLS_A_ROUND }, () => prepare(client, commands)),
        );
        await client.sendCommand(['CONFIG', 'RESETSTAT']);
        await Promise.all(sends.map((send) => send()));
        const each = (await redisTime(client)) / CALLS_A_ROUND;
        times.set(name, [...(times.get(name) ?? []), each]);
      }
    }
    const base = median(times.get('SET NX EX, taken (daprd)') ?? []);
    script.print('| command | µs of Redis time | SETs |\n| --- | ---: | ---: |\n');
    for (const [name, list] of times) {
      const time = median(list);
      script.print(`| ${name} | ${time.toFixed(2)} | ${(time / base).toFixed(1)} |\n`);
    }
    script.print(await measureMemory(client, commands));
  } finally {
    link.end(new Error('done'));
    await redis.stop();
  }
}

/** The memory that companions and markers take in Redis, for a lock and for a release. */
async function measureMemory(client: RedisClient, commands: LockCommands): Promise<string> {
  const used = async () =>
    Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1] ?? NaN);
  const LOCKS = 100_000;
  const grow = async (act: (index: number) => Promise<unknown>): Promise<number> => {
    await client.flushAll();
    await pause(200);
    const before = await used();
    for (let index = 0; index < LOCKS; index += 1000) {
      await Promise.all(Array.from({ length: 1000 }, (_, each) => act(index + each)));
    }
    return ((await used()) - before) / LOCKS;
  };
  const plain = await grow(() =>
    client.set(keyOf(), 'random_id_abc123', {
      condition: 'NX',
      expiration: { type: 'EX', value: 600 },
    }),
  );
  const far = { number: 0, notAfterMs: Date.now() + 600_000, markUntilMs: Date.now() + 600_000 };
  const locked = await grow(() =>
    commands.acquire(client, { ...callOf(keyOf()), ttlMs: 600_000 }, far),
  );
  const released = await grow(async () => {
    const call = callOf(keyOf());
    await commands.acquire(client, call, far);
    await commands.release(client, { ...call, attempt: createAttempt() }, far);
  });
  return `\nbytes of Redis memory: ${plain.toFixed(0)} a daprd lock, ${locked.toFixed(0)} a lock with its companion, ${released.toFixed(0)} a marker of a release\n`;
}

void runScript(command, main);
