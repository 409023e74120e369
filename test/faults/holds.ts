import type { Operation } from './history';

/** The events of a hold, in the form that they have over HTTP. */
export interface HoldEvent {
  readonly type: 'queued' | 'held' | 'renewed' | 'atRisk' | 'lost' | 'refused';
  readonly atMs: number;
  /** Of a grant. */
  readonly token?: number | undefined;
  /** Counted from the call. */
  readonly validMs?: number | undefined;
  readonly reason?: string | undefined;
  /** The holder that a refusal names. */
  readonly holder?: Operation['seen'];
}

/** One hold, as its client saw it; times are milliseconds of the history's clock. */
export interface Hold {
  readonly id: number;
  readonly key: string;
  readonly owner: string;
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly sidecar: number;
  readonly over: Operation['over'];
  readonly calledAtMs: number;
  readonly events: readonly HoldEvent[];
  /** When its client ended the call, where it did. */
  readonly leftAtMs?: number | undefined;
  readonly endedAtMs: number;
  /** Its end, if that was no event. */
  readonly failure?: Pick<Operation, 'answer' | 'reason'> | undefined;
}

/** How much longer than its hold a grant may last that was renewed without a word: a late send of it. */
const LATE_RENEWAL_MS = 3500;

/** By how much the client may read what it was told later than the next renewal was sent. */
const LATE_READING_MS = 500;

/** When a hold was told to have its lock; undefined where it never was. */
export function heldOf({ events }: Hold): HoldEvent | undefined {
  return events.find(({ type }) => type === 'held');
}

/**
 * The calls that a hold stands for: an acquire, a renewal for each time that it says so, the look that a loss before its
 * time rests on, and a release of unknown outcome when its client ends it.
 */
export function toOperations(hold: Hold, nextId: () => number): Operation[] {
  const { key, owner, sidecar, over } = hold;
  const common = { key, owner, sidecar, over, by: 'holdfast', isPart: true } as const;
  const held = heldOf(hold);
  const operations: Operation[] = [{ ...common, ...toAcquire(hold, held), id: nextId() }];
  const refusal = hold.events.find(({ type }) => type === 'refused');
  if (refusal?.holder !== undefined) {
    const { calledAtMs } = hold;
    const time = { calledAtMs, returnedAtMs: refusal.atMs };
    const seen = { seen: refusal.holder, answer: 'seen', kind: 'get', ttlMs: 0 } as const;
    operations.push({ ...common, ...time, ...seen, id: nextId() });
  }
  if (held === undefined) return operations;
  for (const told of toCallsOfHolder(hold, held)) {
    operations.push({ ...common, ...told, id: nextId() });
  }
  return operations;
}

type Part = Omit<Operation, 'id' | 'key' | 'owner' | 'by' | 'sidecar' | 'over' | 'isPart'>;

function toAcquire(hold: Hold, held: HoldEvent | undefined): Part {
  const { calledAtMs, endedAtMs, ttlMs, waitMs, failure, events } = hold;
  const call = { kind: 'acquire', calledAtMs, ttlMs, waitMs } as const;
  if (held !== undefined) {
    const { token, validMs = 0, atMs: returnedAtMs } = held;
    const validUntilMs = calledAtMs + validMs;
    const mayLastUntilMs = endedAtMs + ttlMs + LATE_RENEWAL_MS;
    return { ...call, answer: 'acquired', returnedAtMs, token, validUntilMs, mayLastUntilMs };
  }
  const refusal = events.find(({ type }) => type === 'refused');
  if (refusal !== undefined) return { ...call, answer: 'refused', returnedAtMs: refusal.atMs };
  return { ...call, answer: 'unknown', returnedAtMs: endedAtMs, ...failure };
}

function toCallsOfHolder(hold: Hold, held: HoldEvent): Part[] {
  const { calledAtMs, ttlMs, events, leftAtMs, endedAtMs } = hold;
  const call = { kind: 'renew', ttlMs, named: held.token } as const;
  const parts: Part[] = [];
  let before = held;
  for (const event of events.slice(events.indexOf(held) + 1)) {
    const fromMs = Math.max(calledAtMs, before.atMs - LATE_READING_MS);
    const told = toRenewal(event, calledAtMs + (before.validMs ?? 0));
    const time = { calledAtMs: fromMs, returnedAtMs: event.atMs };
    if (told !== undefined) {
      const { validMs = 0 } = event;
      parts.push({ ...call, ...time, answer: told, validUntilMs: calledAtMs + validMs });
    }
    before = { ...event, validMs: Math.max(event.validMs ?? 0, before.validMs ?? 0) };
  }
  // What a late renewal may have prolonged is released where a lock is lost as nobody answered.
  const isGivenUp = before.reason === 'STORE_UNREACHABLE';
  const leftMs = isGivenUp ? before.atMs - LATE_READING_MS : leftAtMs;
  if (leftMs === undefined || (before.type === 'lost' && !isGivenUp)) return parts;
  const time = { calledAtMs: leftMs, returnedAtMs: Math.max(leftMs, endedAtMs) };
  return [...parts, { ...call, ...time, kind: 'release', ttlMs: 0, answer: 'unknown' }];
}

/** The answer of the store that an event shows. Undefined if it shows none. */
function toRenewal({ type, atMs, reason }: HoldEvent, validUntilMs: number) {
  if (type === 'renewed') return 'renewed';
  // At its end a lease is lost by itself; before it the store has said so.
  if (type !== 'lost' || atMs >= validUntilMs) return undefined;
  return reason === 'TAKEN_OVER' ? 'held_by_other' : 'not_found';
}
