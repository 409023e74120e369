import { setTimeout as pause } from 'node:timers/promises';

import { isSideKey, TOKEN_KEY } from '../../src/stores/redis/side-keys';
import { eventually } from '../support/eventually';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import type { FaultWindow, Operation } from './history';
import { Injector } from './injector';
import { findViolations } from './linearizability';
import { Random } from './random';
import { ServerView } from './server-view';
import { newRunName, type SidecarUnderTest } from './system';
import { Workload } from './workload';

/** How long after Redis is back a withdrawn lock may stay: the stated allowance. */
const WITHDRAWN_WITHIN_MS = 1000;

/** What a call may fail with for certain under these faults; anything else is a mistake. */
const REFUSALS =
  /can't be reached|still loading|caller (?:has gone|is no longer waiting)|too late|store is closed|was withdrawn/;

/** The longest lease of the workload. */
const LONGEST_LEASE_MS = 2000;

/** What a run is made of. */
export interface FaultRunOptions {
  readonly seed: number;
  readonly operations: number;
  readonly clients: number;
  readonly keys: number;
  /** How long most clients wait: longer than a call may take, where the store is right. */
  readonly deadlineMs: number;
  /** Starts the sidecars, each with a way of its own to this Redis. */
  readonly startSidecars: (redisPort: number) => Promise<readonly SidecarUnderTest[]>;
  /** Whether Redis is watched by MONITOR, and what it did held against the answers. */
  readonly watchServer: boolean;
}

/** What a run has found. */
export interface FaultRunReport {
  readonly seed: number;
  readonly operations: readonly Operation[];
  readonly faults: readonly FaultWindow[];
  readonly seconds: number;
  /** Grants and deletions that MONITOR showed. */
  readonly serverEvents: number;
  /** One text for each; empty where everything held. */
  readonly violations: readonly string[];
}

/** One run: load and faults at the same time on a real Redis, then every check. */
export async function runFaults(options: FaultRunOptions): Promise<FaultRunReport> {
  const random = new Random(options.seed);
  const redis = await startRedisServer({
    args: ['--appendonly', 'yes', '--appendfsync', 'always'],
  });
  let sidecars: readonly SidecarUnderTest[] = [];
  const view = new ServerView(redis.port);
  try {
    sidecars = await options.startSidecars(redis.port);
    if (options.watchServer) await view.start();
    const startedAt = performance.now();
    const { clients, keys, operations, deadlineMs } = options;
    const run = newRunName();
    const load = { sidecars, clients, keys, operations, deadlineMs, random: random.fork(), run };
    const workload = new Workload(load);
    const proxies = sidecars.map(({ proxy }) => proxy);
    const injector = new Injector({ redis, proxies, random: random.fork() });
    injector.start();
    await workload.run();
    await injector.stop();
    const seconds = (performance.now() - startedAt) / 1000;
    const leftovers = await findLeftovers(redis, workload.operations);
    const history = { operations: workload.operations, faults: injector.windows };
    return {
      seed: options.seed,
      operations: history.operations,
      faults: history.faults,
      seconds,
      serverEvents: view.size,
      violations: [
        ...findViolations(history).map(
          ({ key, what, operation, around }) =>
            `${key}: ${what}\n  ${describe(operation)}\n  among\n${around.map((each) => `    ${describe(each)}`).join('\n')}`,
        ),
        ...(options.watchServer
          ? view.findContradictions(history.operations, history.faults)
          : []
        ).map(({ what, operation }) => `server: ${what}\n  ${describe(operation)}`),
        ...history.operations
          .filter(({ answer, reason = '' }) => answer === 'not-applied' && !REFUSALS.test(reason))
          .map((operation) => `failed though Redis could serve\n  ${describe(operation)}`),
        ...leftovers,
      ],
    };
  } finally {
    view.stop();
    for (const sidecar of sidecars) await sidecar.stop();
    redis.resume();
    await redis.stop();
  }
}

/** What stays in Redis when it should not, once everything is whole and quiet. */
async function findLeftovers(
  redis: RedisServer,
  operations: readonly Operation[],
): Promise<string[]> {
  const found: string[] = [];
  const nameOf = ({ key, owner }: Operation): string => `${key} ${owner}`;
  const granted = new Set(operations.filter(({ answer }) => answer === 'acquired').map(nameOf));
  const withdrawn = operations.filter(
    (each) =>
      each.kind === 'tryLock' &&
      each.by === 'holdfast' &&
      each.answer === 'unknown' &&
      !granted.has(nameOf(each)),
  );
  const locks = async () =>
    redis.inspect(async (client) => (await client.keys('lock||*')).filter(isLock));
  try {
    await eventually(
      async () => {
        const held = await redis.inspect((client) =>
          Promise.all(withdrawn.map(async ({ key, owner }) => (await client.get(key)) === owner)),
        );
        if (held.includes(true)) throw new Error('a withdrawn attempt still holds its lock');
      },
      { withinMs: WITHDRAWN_WITHIN_MS },
    );
  } catch (error) {
    found.push(String(error));
  }
  const endless = await redis.inspect(async (client) => {
    // The last token is the one key that is to stay.
    const keys = (await client.keys('lock||*')).filter((key) => key !== TOKEN_KEY);
    const left = await Promise.all(keys.map((key) => client.pTTL(key)));
    return keys.filter(
      (key, index) => left[index] === -1 || (isLock(key) && left[index]! > LONGEST_LEASE_MS),
    );
  });
  for (const key of endless) found.push(`${key} outlives its last promised expiry`);
  await pause(LONGEST_LEASE_MS);
  for (const key of await locks()) found.push(`${key} is not free after its expiry`);
  return found;
}

/** Side keys of the first version have names that locks can have; no lock of a run has such a one. */
function isLock(key: string): boolean {
  return !isSideKey(key) && !key.includes('||done||') && !key.endsWith('||attempt');
}

function describe(operation: Operation): string {
  const { id, kind, owner, answer, calledAtMs, returnedAtMs, ttlMs, reason = '' } = operation;
  const times = `${calledAtMs.toFixed(1)}..${returnedAtMs.toFixed(1)}`;
  return `#${id} ${times} ${kind} ${owner} ${ttlMs} -> ${answer} ${reason}`;
}
