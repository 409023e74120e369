import { type FaultWindow, meetsAny, type Operation } from './history';
import type { Account, RuleBreak } from './rule-breaks';
import type { FailedStart } from './sidecar-under-test';

/** The failures that a call may report as certain while Redis or its sidecar is away. */
const AWAY =
  /can't be reached|still loading|too late|store is closed|was withdrawn|is stopping|the wait is over|^not sent/;

/** The failure of a call whose client has gone. */
const LEFT = /caller (?:has gone|is no longer waiting)/;

/** How much earlier than it was to a client may end its wait. */
const SLACK_MS = 50;

/** How far a stall or a fault may be from a start that failed: a start reads files, and Redis has to answer. */
const NEAR_A_START_MS = 2000;

/**
 * Calls that failed although nothing was broken, or with what no fault explains.
 *
 * @param refusals what a call may fail with for certain under the faults of the run; by default those of Redis
 */
export function findFailureBreaks({ operations, troubles }: Account, refusals = AWAY): RuleBreak[] {
  return operations.flatMap((about): RuleBreak[] => {
    if (!isFailure(about) || hasLeft(about)) return [];
    const { answer, reason = '', calledAtMs: fromMs, returnedAtMs: toMs, sidecar, key } = about;
    if (answer === 'not-applied' && !refusals.test(reason)) {
      return [{ what: 'failed though the server could serve', about }];
    }
    if (troubles.meets({ fromMs, toMs, sidecar, key })) return [];
    return [{ what: `${answer} though nothing was broken`, about }];
  });
}

function isFailure({ answer, by, isPart }: Operation): boolean {
  return isPart !== true && by === 'holdfast' && (answer === 'unknown' || answer === 'not-applied');
}

/** True where the client has ended the call, or its own time was over: no store answers sooner than it can. */
function hasLeft(operation: Operation): boolean {
  const { patienceMs = Infinity, waitMs = 0, calledAtMs, returnedAtMs, reason = '' } = operation;
  const ownMs = Math.min(patienceMs, waitMs === 0 ? Infinity : waitMs);
  return LEFT.test(reason) || returnedAtMs - calledAtMs >= ownMs - SLACK_MS;
}

/** Starts that failed far from any stall and any fault of Redis. */
export function findStartBreaks(
  starts: readonly FailedStart[],
  troubles: { readonly faults: readonly FaultWindow[]; readonly stalls: readonly FaultWindow[] },
): string[] {
  return starts
    .filter((start) => !isExcusedStart(start, troubles))
    .map(({ fromMs, toMs, reason }) => {
      const time = `${fromMs.toFixed(1)}..${toMs.toFixed(1)}`;
      return `a sidecar did not start though nothing was broken\n  ${time} ${reason}`;
    });
}

/** True where a stall, or a fault of Redis itself, was nearby when a start failed. */
export function isExcusedStart(
  { fromMs, toMs }: FailedStart,
  { faults, stalls }: Parameters<typeof findStartBreaks>[1],
): boolean {
  const nearby = { fromMs: fromMs - NEAR_A_START_MS, toMs };
  const ofRedis = faults.filter(({ sidecar }) => sidecar === undefined);
  return meetsAny(stalls, nearby) || meetsAny(ofRedis, nearby);
}
