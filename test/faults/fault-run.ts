import { type RedisServer, startRedisServer } from '../support/redis-server';
import { ClientLag } from './client-lag';
import type { FaultWindow, Operation } from './history';
import { findHoldBreaks } from './hold-rules';
import { type Hold, toOperations } from './holds';
import { Injector } from './injector';
import { findLeftovers } from './leftovers';
import { findViolations } from './linearizability';
import { Random } from './random';
import type { Account, RuleBreak } from './rule-breaks';
import { ServerView } from './server-view';
import { newRunName, type SidecarUnderTest } from './sidecar-under-test';
import { findTokenBreaks } from './token-rules';
import { findTurnBreaks } from './turn-rules';
import { Workload } from './workload';

/** What a call may fail with for certain under these faults; anything else is a mistake. */
const REFUSALS =
  /can't be reached|still loading|caller (?:has gone|is no longer waiting)|too late|store is closed|was withdrawn|is stopping|the wait is over|^not sent/;

/** The longest time that a timer has. */
const FOREVER_MS = 2 ** 31 - 1;

/** What a run is made of. */
export interface FaultRunOptions {
  readonly seed: number;
  readonly operations: number;
  readonly clients: number;
  /** Clients of the native API beside those of Dapr's. */
  readonly nativeClients: number;
  readonly keys: number;
  /** After so long nothing more is begun; no bound where this is left out. */
  readonly longestMs?: number;
  /** How long most clients wait: longer than a call may take, where the store is right. */
  readonly deadlineMs: number;
  /** Starts the sidecars, each with a way of its own to this Redis. */
  readonly startSidecars: (redisPort: number) => Promise<readonly SidecarUnderTest[]>;
  /** Whether Redis is watched by MONITOR, and what it did held against the answers. */
  readonly watchServer: boolean;
  /** Called twice a second with how many operations have begun. */
  readonly onProgress?: (begun: number) => void;
}

/** What a run has found. */
export interface FaultRunReport {
  readonly seed: number;
  /** Calls, without what is a part of one. */
  readonly operations: readonly Operation[];
  readonly holds: readonly Hold[];
  readonly faults: readonly FaultWindow[];
  /** How often the machine had too much to do, which excuses what a fault would excuse. */
  readonly stalls: number;
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
    const { recorder, faults, lag } = await load(options, { redis, sidecars, random });
    const seconds = (performance.now() - startedAt) / 1000;
    const { operations: calls, holds } = recorder;
    const parts = holds.flatMap((hold) => toOperations(hold, recorder.nextPartId));
    const operations = [...calls, ...parts];
    const wallMs = Date.now() - performance.now();
    return {
      seed: options.seed,
      operations: calls.filter(({ isPart }) => isPart !== true),
      holds,
      faults,
      stalls: lag.stalls.length,
      seconds,
      serverEvents: view.size,
      violations: [
        ...(await findLeftovers(redis, operations)),
        ...check({ operations, holds, faults, stalls: lag.stalls, wallMs }),
        ...(options.watchServer
          ? view.findContradictions(operations, [...faults, ...lag.windows])
          : []
        ).map(({ what, operation }) => `server: ${what}\n  ${describe(operation)}`),
      ],
    };
  } finally {
    view.stop();
    for (const sidecar of sidecars) await sidecar.stop();
    redis.resume();
    await redis.stop();
  }
}

async function load(
  options: FaultRunOptions,
  {
    redis,
    sidecars,
    random,
  }: {
    readonly redis: RedisServer;
    readonly sidecars: readonly SidecarUnderTest[];
    readonly random: Random;
  },
) {
  const workload = new Workload({
    ...options,
    sidecars,
    random: random.fork(),
    run: newRunName(),
  });
  const injector = new Injector({ redis, sidecars, random: random.fork() });
  const cut = setTimeout(() => {
    workload.cut();
  }, options.longestMs ?? FOREVER_MS);
  const progress = setInterval(() => {
    options.onProgress?.(workload.recorder.begun);
  }, 500);
  const lag = new ClientLag();
  injector.start();
  try {
    await workload.run();
  } finally {
    clearTimeout(cut);
    clearInterval(progress);
    lag.stop();
    await injector.stop();
  }
  return { recorder: workload.recorder, faults: injector.windows, lag };
}

/**
 * Every check of what clients were told.
 *
 * @param refusals what a call may fail with for certain under the faults of the run
 */
export function check(account: Account, refusals = REFUSALS): string[] {
  const { operations, faults } = account;
  const breaks: RuleBreak[] = [
    ...findTokenBreaks(account),
    ...findHoldBreaks(account),
    ...findTurnBreaks(account),
  ];
  return [
    ...breaks.map(({ what, about }) => `${what}\n  ${describe(about)}`),
    ...findViolations({ operations, faults }).map(
      ({ key, what, operation, around, faults: broken }) =>
        `${key}: ${what}\n  ${describe(operation)}\n  among\n${[...broken.map(describeFault), ...around.map(describe)].map((each) => `    ${each}`).join('\n')}`,
    ),
    ...operations
      .filter(({ answer, reason = '' }) => answer === 'not-applied' && !refusals.test(reason))
      .map((operation) => `failed though the server could serve\n  ${describe(operation)}`),
  ];
}

function describeFault({ kind, fromMs, toMs, sidecar }: FaultWindow): string {
  return `fault ${fromMs.toFixed(1)}..${toMs.toFixed(1)} ${kind} ${JSON.stringify({ sidecar })}`;
}

function describe(about: Operation | Hold): string {
  if ('events' in about) {
    const { id, key, owner, ttlMs, waitMs, calledAtMs, leftAtMs, endedAtMs, failure } = about;
    const events = about.events.map(({ type, atMs, validMs = '', reason = '' }) =>
      `${(atMs - calledAtMs).toFixed(0)} ${type} ${validMs}${reason}`.trim(),
    );
    const left = leftAtMs === undefined ? '' : ` left ${(leftAtMs - calledAtMs).toFixed(0)}`;
    const end = `${left} ended ${(endedAtMs - calledAtMs).toFixed(0)} ${failure?.reason ?? ''}`;
    return `hold #${id} ${key} ${calledAtMs.toFixed(1)} ${owner} ttl ${ttlMs} wait ${waitMs}: ${events.join(', ')};${end}`;
  }
  const { id, kind, owner, answer, calledAtMs, returnedAtMs, ttlMs, reason = '' } = about;
  const { token, named, validUntilMs, seen, sidecar, waitMs } = about;
  const more = { token, named, validUntilMs, seen, sidecar, waitMs };
  const times = `${calledAtMs.toFixed(1)}..${returnedAtMs.toFixed(1)}`;
  return `#${id} ${times} ${kind} ${owner} ${ttlMs} -> ${answer} ${reason} ${JSON.stringify(more)}`;
}
