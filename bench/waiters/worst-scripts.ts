import { createAttempt } from '../../src/lock/attempt';
import type { RedisScript } from '../../src/stores/redis/redis-script';
import {
  toChannel,
  toCompanionKey,
  toMarkerKey,
  toPresenceKey,
  toQueueKey,
} from '../../src/stores/redis/side-keys';
import { type InspectingClient, startRedisServer } from '../../test/support/redis-server';
import { toTable } from '../markdown-report';
import { median } from '../statistics';
import type { WaitersOptions } from './options';
import {
  acquireScript,
  askScript,
  openScript,
  refreshScript,
  releaseScript,
} from '../../test/support/plain-scripts';

/** How often each is run. */
const RUNS = 60;

/** So many locks are in one refresh, and so many dead tickets are dropped by one script, at most. */
const LOCKS_A_REFRESH = 200;
const DEAD_A_SCRIPT = 100;

const SIDECAR = 'ab';
/** One that is not present: its tickets are dead. */
const GONE = 'cd';
const KEY = 'lock||myapp||worst';
const US_A_MS = 1000;

/** Redis must not be blocked for longer by a script, in milliseconds. */
const LONGEST_MS = 10;

const inAMinute = () => String(Date.now() + 60_000);

/** Runs a script once, where it has the most to do. */
type Case = (client: InspectingClient, count: number) => Promise<void>;

const CASES: Readonly<Record<string, Case>> = {
  'refresh of 200 locks': async (client) => {
    const locks = Array.from({ length: LOCKS_A_REFRESH }, (_, index) => `${KEY}-${index}`);
    await run(client, refreshScript, {
      keys: [toPresenceKey(SIDECAR), ...locks],
      args: ['1', inAMinute()],
    });
  },
  'ask behind so many waiters': async (client, count) => {
    await client.set(KEY, 'other');
    await addTickets(client, { count, sidecar: SIDECAR });
    await ask(client);
  },
  'ask behind 100 dead tickets': async (client, count) => {
    await client.set(KEY, 'other');
    await addTickets(client, { count, sidecar: GONE });
    await ask(client);
  },
  'TryLock of a lock whose queue has 100 dead tickets': async (client, count) => {
    await addTickets(client, { count, sidecar: GONE });
    const attempt = createAttempt().id;
    const keys = [KEY, toCompanionKey(KEY), toMarkerKey(KEY, attempt)];
    await client.del('lock||token||');
    const args = ['o', attempt, '1', inAMinute(), '0', inAMinute()];
    await run(client, acquireScript, { keys, args });
  },
  'release of a lock whose queue has 100 dead tickets': async (client, count) => {
    await client.set(KEY, 'o');
    await addTickets(client, { count, sidecar: GONE });
    const marker = toMarkerKey(KEY, createAttempt().id);
    const keys = [KEY, toCompanionKey(KEY), marker, toQueueKey(KEY)];
    const args = ['o', inAMinute(), '0', inAMinute(), '', ''];
    await run(client, releaseScript, { keys, args });
  },
};

/**
 * How long a single script can take, where it has the most to do: the median and the longest of many runs. A script that
 * loses its processor takes longer, and so the median says what it costs.
 */
export async function measureWorstScripts({ count }: WaitersOptions): Promise<string> {
  const redis = await startRedisServer();
  try {
    const rows = await redis.inspect(async (client) => {
      const lines: string[][] = [];
      for (const [name, act] of Object.entries(CASES)) {
        const timesMs: number[] = [];
        for (let index = 0; index < RUNS; index += 1) timesMs.push(await time(client, act, count));
        const [usual, longest] = [median(timesMs), Math.max(...timesMs)];
        assertShort(name, usual);
        lines.push([name, `${usual.toFixed(2)} ms`, `${longest.toFixed(2)} ms`]);
      }
      return lines;
    });
    const head = ['script', 'median', `longest of ${RUNS}`];
    return `## The longest scripts, with ${count} tickets\n\n${toTable(head, rows)}\n`;
  } finally {
    await redis.stop();
  }
}

function assertShort(name: string, usualMs: number): void {
  if (usualMs <= LONGEST_MS) return;
  throw new Error(`${name} takes ${usualMs.toFixed(2)} ms, more than ${LONGEST_MS} ms`);
}

/** The time of the one script that a case runs, by Redis's own clock, in milliseconds. */
async function time(client: InspectingClient, act: Case, count: number): Promise<number> {
  await client.flushDb();
  const args = ['1', inAMinute(), toChannel(SIDECAR)];
  await run(client, openScript, { keys: [toPresenceKey(SIDECAR)], args });
  await client.sendCommand(['CONFIG', 'RESETSTAT']);
  await act(client, count);
  const stats = await client.info('commandstats');
  return Number(/cmdstat_eval:calls=1,usec=(\d+)/.exec(stats)?.[1]) / US_A_MS;
}

function run(
  client: InspectingClient,
  { source }: RedisScript,
  call: { readonly keys: string[]; readonly args: string[] },
): Promise<unknown> {
  return client.eval(source, { keys: call.keys, arguments: call.args });
}

async function ask(client: InspectingClient): Promise<void> {
  const attempt = createAttempt().id;
  const queueKeys = [toQueueKey(KEY), toPresenceKey(SIDECAR)];
  const keys = [KEY, toCompanionKey(KEY), toMarkerKey(KEY, attempt), ...queueKeys];
  const ticket = `${SIDECAR}:${attempt}:${inAMinute()}`;
  const args = ['o', attempt, '60000', inAMinute(), '0', inAMinute(), ticket, '1', ''];
  await run(client, askScript, { keys, args });
}

/** Tickets of a sidecar that is present, or of one that is not: those are dead. */
async function addTickets(
  client: InspectingClient,
  { count, sidecar }: { readonly count: number; readonly sidecar: string },
): Promise<void> {
  const size = Math.max(count, DEAD_A_SCRIPT);
  const tickets = Array.from({ length: size }, (_, score) => {
    return { score, value: `${sidecar}:${createAttempt().id}:${inAMinute()}` };
  });
  await client.zAdd(toQueueKey(KEY), tickets);
}
