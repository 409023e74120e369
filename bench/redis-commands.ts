import { setTimeout as pause } from 'node:timers/promises';

import { ANSWERS, type Transport } from './lock-requests';
import { callOnce, type Endpoint } from './one-call';
import { portOf, servingBy, type Target } from './target';
import type { Workbench } from './workbench';

/** The commands of Redis for a call: how often each command runs, a call. */
export interface CommandCount {
  readonly target: string;
  readonly call: string;
  /** Sent by the sidecar: each is a round trip, or a part of a pipelined one. */
  readonly sent: Readonly<Record<string, number>>;
  /** All of INFO commandstats: what scripts call is in it too. */
  readonly run: Readonly<Record<string, number>>;
}

const CALLS = 50;

/** Long enough for MONITOR's last lines, and for what a sidecar sends after its answer. */
const SETTLE_MS = 200;

/** The commands of the measurement itself. */
const OWN_COMMANDS = ['info', 'monitor', 'config|resetstat'];

/** Calls a few times, one after the other, and counts what Redis was sent meanwhile. */
export async function countCommands(
  bench: Workbench,
  transport: Transport,
  targets: readonly Target[],
): Promise<readonly CommandCount[]> {
  const ours = servingBy(transport, targets).filter(({ role }) => role === 'ours');
  const counts: CommandCount[] = [];
  for (const target of ours) {
    // The first calls load scripts and learn the server's clock.
    const endpoint = { transport, port: portOf(target, transport) };
    for (const call of CALLED) await callAll(endpoint, call, { target, calls: 1, first: -1 });
    for (const call of CALLED) {
      const act = () => callAll(endpoint, call, { target, calls: CALLS, first: 0 });
      counts.push({ target: target.name, call: CALL_TITLE[call], ...(await watch(bench, act)) });
    }
  }
  return counts;
}

/** In this order: each call leaves what the next one needs. */
const CALLED = ['lock', 'refused', 'unlock'] as const;

const CALL_TITLE = {
  lock: 'TryLock, taken',
  refused: 'TryLock, refused',
  unlock: 'Unlock, released',
};

async function callAll(
  endpoint: Endpoint,
  call: (typeof CALLED)[number],
  { target, calls, first }: { target: Target; calls: number; first: number },
): Promise<void> {
  const { storeName, pid, name } = target;
  for (let index = first; index < first + calls; index += 1) {
    const request = { storeName, resourceId: `commands-${pid}-${index}` };
    const answer = await callOnce(endpoint, call === 'unlock' ? 'unlock' : 'lock', request);
    if (!answer.equals(ANSWERS[endpoint.transport][call])) {
      throw new Error(`${name} answered ${call} by ${JSON.stringify(answer.toString('latin1'))}`);
    }
  }
}

async function watch(
  bench: Workbench,
  act: () => Promise<void>,
): Promise<Pick<CommandCount, 'sent' | 'run'>> {
  return bench.redis.inspect(async (client) => {
    const lines: string[] = [];
    const monitor = client.duplicate();
    monitor.on('error', () => undefined);
    await monitor.connect();
    await monitor.monitor((line) => lines.push(line));
    try {
      await client.configResetStat();
      await act();
      await pause(SETTLE_MS);
      const run = parseCommandStats(await client.info('commandstats'));
      const sent = countSent(lines);
      return { sent: toEach(sent, CALLS), run: toEach(run, CALLS) };
    } finally {
      monitor.destroy();
    }
  });
}

/** Counts MONITOR's lines by command, those left out that a script has called (`[0 lua]`). */
export function countSent(lines: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const [, client, command] = /^\S+ \[\d+ (\S+?)\] "([^"]+)"/.exec(line) ?? [];
    if (command === undefined || client === 'lua') continue;
    const name = command.toLowerCase();
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** Reads the calls of INFO commandstats. */
export function parseCommandStats(text: string): ReadonlyMap<string, number> {
  const lines = text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return new Map([...lines].map(([, name = '', calls]) => [name, Number(calls)]));
}

function toEach(counts: ReadonlyMap<string, number>, calls: number): Record<string, number> {
  const own = new Set([...OWN_COMMANDS, 'config']);
  return Object.fromEntries(
    [...counts].filter(([name]) => !own.has(name)).map(([name, count]) => [name, count / calls]),
  );
}
