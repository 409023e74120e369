import { byKey, firstIndex, type Operation } from './history';
import { heldOf, type Hold } from './holds';
import { LATE_EFFECT_MS, longestOf } from './lock-model';
import type { Account, RuleBreak } from './rule-breaks';
import type { DrawnSpan } from './token-times';

/** How far the clocks of two processes and the reading of an answer may be apart. */
const SLACK_MS = 150;

/** How long a lock may be free while somebody waits for it and nothing is broken: a lost wake-up, on a busy machine. */
const IDLE_MS = 2000;

/** How long before that nothing may have been broken: tickets of a sidecar that was killed stand for 3 s. */
const WOKEN_BEFORE_MS = 1500;

/** By how much later than it was made a call may arrive at a busy sidecar; its wait begins then. */
const ARRIVAL_MS = 1500;

/** A ticket that stands in the queue, as far as its client can know. */
interface Ticket {
  readonly hold: Hold;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Waiters are served in the order in which they came, and as soon as the lock is free (N5, N6, N7). */
export function findTurnBreaks(account: Account): RuleBreak[] {
  const grants = account.operations.filter(
    ({ answer, token = 0 }) => answer === 'acquired' && token !== 0,
  );
  const tickets = byKey(
    account.holds
      .flatMap((hold) => toTicket(hold, account))
      .map((ticket) => ({ ...ticket, key: ticket.hold.key })),
  );
  return [
    ...grants.filter((grant) => isLate(grant, account)).map(toLateBreak),
    ...[...byKey(grants)].flatMap(([key, ofKey]) =>
      findOvertaken(ofKey, tickets.get(key) ?? [], account),
    ),
    ...findIdle(account),
  ];
}

function isLate(grant: Operation, account: Account): boolean {
  const { token = 0, waitMs = 0, calledAtMs: fromMs, sidecar } = grant;
  if (waitMs === 0) return false;
  const { fromMs: atMs } = account.drawnAt(token);
  // The wait begins when the sidecar reads the call, which it can't while it stands still.
  const lateMs = account.troubles.stoodStillMs({ fromMs, toMs: atMs, sidecar });
  return atMs > fromMs + waitMs + ARRIVAL_MS + lateMs;
}

function toLateBreak(grant: Operation): RuleBreak {
  return { what: 'the store granted it after its deadline', about: grant };
}

function toTicket(hold: Hold, account: Account): Ticket[] {
  const queued = hold.events.find(({ type }) => type === 'queued');
  if (queued === undefined) return [];
  const { calledAtMs, waitMs, leftAtMs = Infinity, endedAtMs } = hold;
  const token = heldOf(hold)?.token;
  const toMs =
    token === undefined
      ? Math.min(calledAtMs + waitMs, leftAtMs, endedAtMs - 500)
      : account.drawnAt(token).fromMs;
  return [{ hold, fromMs: queued.atMs, toMs }];
}

/** Grants that passed a ticket which was there before. */
function findOvertaken(
  grants: readonly Operation[],
  tickets: readonly Ticket[],
  account: Account,
): RuleBreak[] {
  const sorted = [...tickets].sort((one, other) => one.fromMs - other.fromMs);
  let first = 0;
  return [...grants]
    .sort((one, other) => (one.token ?? 0) - (other.token ?? 0))
    .flatMap((grant): RuleBreak[] => {
      const drawn = account.drawnAt(grant.token ?? 0);
      const { fromMs: atMs } = drawn;
      // Tickets end by their order only roughly: none is older than a wait may be.
      while (first < sorted.length && sorted[first]!.fromMs < atMs - 30_000) first += 1;
      const last = firstIndex(sorted, ({ fromMs }) => fromMs > atMs);
      const standing = sorted.slice(first, last);
      const [passed] = standing.filter((ticket) => isPassed(ticket, { grant, drawn }, account));
      if (passed === undefined) return [];
      const { id, sidecar } = passed.hold;
      const since = passed.fromMs.toFixed(1);
      const what = `granted before hold #${id} at sidecar ${sidecar}, which waited since ${since}`;
      return [{ what, about: grant }];
    });
}

function isPassed(
  { hold, fromMs, toMs }: Ticket,
  { grant, drawn }: { readonly grant: Operation; readonly drawn: DrawnSpan },
  { troubles, tally }: Account,
): boolean {
  // Where the moment of a grant is not exactly known, only what every moment tells counts.
  if (grant.owner === hold.owner || toMs - SLACK_MS < drawn.toMs) return false;
  const { fromMs: atMs } = drawn;
  const mayPass = troubles.mayBeDropped(atMs, hold) || troubles.mayBeDropped(drawn.toMs, hold);
  tally.count('order: grants beside a ticket of another waiter', mayPass);
  const cameAtMs = (grant.waitMs ?? 0) > 0 ? grant.calledAtMs : atMs;
  return !mayPass && fromMs + SLACK_MS <= cameAtMs;
}

/** Waits that ended for nothing though the lock had been free for long. */
function findIdle(account: Account): RuleBreak[] {
  const { operations, troubles, tally } = account;
  const holders = byKey(operations.filter(({ kind }) => kind === 'tryLock' || kind === 'acquire'));
  const ends = new Map(
    operations
      .filter(({ answer }) => answer === 'unlocked')
      .map((each) => [nameOf(each), each.returnedAtMs]),
  );
  return operations.flatMap((wait): RuleBreak[] => {
    const { answer, kind, waitMs = 0, calledAtMs, key, id } = wait;
    const toMs = calledAtMs + waitMs;
    const fromMs = toMs - IDLE_MS;
    if (kind !== 'acquire' || answer !== 'refused' || fromMs < calledAtMs) return [];
    // The waiter that leads may be one of another sidecar: while that is away, the lock is free for nobody.
    const isTroubled = troubles.meets({ fromMs: fromMs - WOKEN_BEFORE_MS, toMs, key });
    if (tally.count('idleness: refused waits of 2 s and more', isTroubled)) return [];
    const isHeld = (holders.get(key) ?? []).some((other) => {
      if (other.id === id || other.answer === 'refused' || other.answer === 'not-applied')
        return false;
      return other.calledAtMs <= toMs && endOf(other, ends) >= fromMs;
    });
    return isHeld ? [] : [{ what: 'refused though the lock was free', about: wait }];
  });
}

function nameOf({ key, owner }: Operation): string {
  return `${key} ${owner}`;
}

/** Until when a call may have held its lock. */
function endOf(holder: Operation, ends: ReadonlyMap<string, number>): number {
  const { answer, returnedAtMs, mayLastUntilMs = 0 } = holder;
  const ttlMs = longestOf(holder);
  if (answer === 'unknown') return returnedAtMs + LATE_EFFECT_MS + ttlMs;
  return ends.get(nameOf(holder)) ?? Math.max(returnedAtMs + ttlMs, mayLastUntilMs);
}
