import { startRedisServer } from '../support/redis-server';
import { findFailureBreaks, findStartBreaks } from './failure-rules';
import type { FaultWindow, Operation } from './history';
import { findHoldBreaks } from './hold-rules';
import type { Hold } from './holds';
import { CALM_MS, Injector } from './injector';
import { findLeftovers } from './leftovers';
import { findViolations } from './linearizability';
import { type Observed, observe, type ObserveOptions } from './observe';
import { Random } from './random';
import { REDIS_FAULTS } from './redis-faults';
import { createRedisProbe } from './redis-probe';
import type { RuleBreak } from './rule-breaks';
import { ServerView } from './server-view';
import { newRunName, type SidecarUnderTest } from './sidecar-under-test';
import type { Tally } from './tally';
import { findTokenBreaks } from './token-rules';
import { findTurnBreaks } from './turn-rules';
import { Workload, type WorkloadOptions } from './workload';

/** The settings of a run. */
export interface FaultRunOptions
  extends
    Omit<WorkloadOptions, 'sidecars' | 'random' | 'run'>,
    Pick<ObserveOptions, 'longestMs' | 'onProgress'> {
  readonly seed: number;
  /** Starts the sidecars, each with a way of its own to this Redis. */
  readonly startSidecars: (redisPort: number) => Promise<readonly SidecarUnderTest[]>;
  /** Whether Redis is watched by MONITOR, and what it did held against the answers. */
  readonly watchServer: boolean;
}

/** The findings of a run. */
export interface FaultRunReport extends Pick<
  Observed,
  'faults' | 'stalls' | 'givenUp' | 'failedStarts' | 'seconds'
> {
  readonly seed: number;
  /** Calls, without what is a part of one. */
  readonly operations: readonly Operation[];
  readonly holds: readonly Hold[];
  /** The events that were judged, and those that were excused. */
  readonly tally: Tally;
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
    const workload = new Workload({
      ...options,
      sidecars,
      random: random.fork(),
      run: newRunName(),
    });
    const injector = new Injector({
      ...{ server: redis, sidecars, random: random.fork() },
      ...{ faults: REDIS_FAULTS, calmMs: CALM_MS },
    });
    const seen = await observe(workload, injector, {
      ...options,
      sidecars,
      probe: createRedisProbe(redis.port),
    });
    const { account, late } = seen;
    return {
      ...toReport(options.seed, seen),
      serverEvents: view.size,
      violations: [
        ...(await findLeftovers(redis, account.operations, account.troubles)),
        ...check(seen),
        ...findStartBreaks(seen.failedStarts, seen),
        ...(options.watchServer
          ? [
              ...view.findContradictions(account.operations, late, account.tally),
              ...view.findLateWithdrawals(account),
            ]
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

/** The findings of a run, except those that only its own server can tell. */
export function toReport(
  seed: number,
  { account, faults, stalls, givenUp, failedStarts, seconds }: Observed,
): Omit<FaultRunReport, 'serverEvents' | 'violations'> {
  const { operations, holds, tally } = account;
  const calls = operations.filter(({ isPart }) => isPart !== true);
  return { seed, operations: calls, holds, faults, stalls, givenUp, failedStarts, tally, seconds };
}

/**
 * Every check of what clients were told.
 *
 * @param refusals what a call may fail with for certain under the faults of the run
 */
export function check({ account, history }: Observed, refusals?: RegExp): string[] {
  const breaks: RuleBreak[] = [
    ...findFailureBreaks(account, refusals),
    ...findTokenBreaks(account),
    ...findHoldBreaks(account),
    ...findTurnBreaks(account),
  ];
  return [
    ...breaks.map(({ what, about }) => `${what}\n  ${describe(about)}`),
    ...findViolations(history, account.tally).map(
      ({ key, what, operation, around, faults: broken }) =>
        `${key}: ${what}\n  ${describe(operation)}\n  among\n${[...broken.map(describeFault), ...around.map(describe)].map((each) => `    ${each}`).join('\n')}`,
    ),
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
