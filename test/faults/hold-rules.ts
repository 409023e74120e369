import { byKey, type Operation } from './history';
import { heldOf, type Hold, type HoldEvent } from './holds';
import type { Account, RuleBreak } from './rule-breaks';

/** By how much later than it was written a busy client may read an event, and a call may arrive. */
const READING_MS = 1500;

/** How long after the end of a wait its last answer may come, with a look at who holds the lock. */
const LAST_ANSWER_MS = 3000;

/** Within what time a lock is free whose hold was ended by its client. */
const FREE_WITHIN_MS = 2000;

/** The events that a hold may get, and when (N4, N5, N9, N10). */
export function findHoldBreaks(account: Account): RuleBreak[] {
  const { holds } = account;
  const views = byKey(account.operations.filter(({ answer }) => answer === 'seen'));
  return holds.flatMap((hold) =>
    [
      ...checkOrder(hold),
      ...checkEnds(hold, account),
      checkWait(hold, account),
      checkLoss(hold, account),
      checkLeaving(hold, views.get(hold.key) ?? [], account),
    ].flatMap((what) => (what === undefined ? [] : [{ what, about: hold }])),
  );
}

const MAY_FOLLOW: Readonly<Record<'nothing' | HoldEvent['type'], readonly HoldEvent['type'][]>> = {
  // What was over before it could be told is lost at once.
  nothing: ['queued', 'held', 'lost', 'refused'],
  queued: ['held', 'lost', 'refused'],
  held: ['renewed', 'atRisk', 'lost'],
  renewed: ['renewed', 'atRisk', 'lost'],
  atRisk: ['renewed', 'atRisk', 'lost'],
  lost: [],
  refused: [],
};

function checkOrder({ events, failure, leftAtMs }: Hold): string[] {
  const breaks = events.flatMap(({ type }, index) => {
    const before = events[index - 1]?.type ?? 'nothing';
    return MAY_FOLLOW[before].includes(type) ? [] : [`${type} after ${before}`];
  });
  const last = events.at(-1);
  const isTold =
    last?.type === 'lost' || last?.type === 'refused' || last?.reason === 'SIDECAR_STOPPING';
  if (failure === undefined && leftAtMs === undefined && !isTold) breaks.push('ended untold');
  return breaks;
}

/** By how much an event may be late as the sidecar stood still: what it counts begins when it reads the call. */
function lateBy(
  { calledAtMs: fromMs, sidecar }: Hold,
  toMs: number,
  { troubles }: Account,
): number {
  return troubles.stoodStillMs({ fromMs, toMs, sidecar });
}

/** Nothing says "held" past the end that was told before, and no end is earlier than the one before. */
function checkEnds(hold: Hold, account: Account): (string | undefined)[] {
  const { calledAtMs, events } = hold;
  let validMs: number | undefined;
  return events.flatMap(({ type, atMs, validMs: told }) => {
    if (told === undefined) return [];
    const breaks: string[] = [];
    if (atMs > calledAtMs + (validMs ?? told) + READING_MS + lateBy(hold, atMs, account)) {
      breaks.push(`${type} came after the end that was told before`);
    }
    if (told < (validMs ?? 0) - 1) breaks.push(`${type} told an earlier end`);
    validMs = Math.max(told, validMs ?? 0);
    return breaks;
  });
}

/** A wait lasts as long as it was to, and no longer. */
function checkWait(hold: Hold, account: Account): string | undefined {
  const { calledAtMs, waitMs, events } = hold;
  const end = events.find(({ type }) => type === 'held' || type === 'refused');
  if (waitMs === 0 || end === undefined) return undefined;
  const deadlineMs = calledAtMs + waitMs;
  const latestMs = deadlineMs + READING_MS + lateBy(hold, end.atMs, account);
  if (end.type === 'held' && end.atMs > latestMs) {
    return `granted ${(end.atMs - deadlineMs).toFixed(0)} ms after its deadline`;
  }
  return end.type === 'refused' && end.atMs < deadlineMs - 50
    ? 'refused before its time was over'
    : undefined;
}

/** The last end that a hold was told; where it never had its lock, that of its wait. */
function toldEndOf({ calledAtMs, waitMs, events }: Hold): number {
  const valid = events.map(({ validMs = 0 }) => validMs);
  return calledAtMs + Math.max(waitMs, ...valid);
}

/** A client that stays to the end is told so: that the lock is lost, or that the wait is over. */
function checkLoss(hold: Hold, { troubles, tally }: Account): string | undefined {
  const { endedAtMs, sidecar } = hold;
  const fromMs = toldEndOf(hold);
  const isPromised = hold.waitMs > 0 || heldOf(hold) !== undefined;
  if (!isPromised || endedAtMs <= fromMs || hold.failure !== undefined) return undefined;
  // The sidecar counts by itself: no fault but its own standstill makes it late.
  const stillMs = troubles.stoodStillMs({ fromMs: hold.calledAtMs, toMs: endedAtMs, sidecar });
  tally.count('end: holds that lasted beyond their last promise or wait', stillMs > 0);
  const lateMs = endedAtMs - fromMs;
  if (lateMs <= LAST_ANSWER_MS + stillMs) return undefined;
  return `${lateMs.toFixed(0)} ms after its end it was told nothing`;
}

/** Leaving is releasing: soon nobody sees the grant any more. */
function checkLeaving(
  hold: Hold,
  views: readonly Operation[],
  { troubles, tally }: Account,
): string | undefined {
  const { leftAtMs } = hold;
  const token = heldOf(hold)?.token;
  if (leftAtMs === undefined || token === undefined) return undefined;
  // What a fault keeps the sidecar from is due when it is over.
  const freeByMs = troubles.dueAtMs(leftAtMs, FREE_WITHIN_MS, hold);
  const isLater = freeByMs > leftAtMs + FREE_WITHIN_MS;
  tally.count('leaving: locks of holds whose client left', isLater);
  const isSeen = views.some(
    ({ seen, calledAtMs }) => seen?.token === token && calledAtMs > freeByMs,
  );
  return isSeen ? 'its lock was held on after its client had left' : undefined;
}
