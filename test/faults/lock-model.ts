import type { Operation, SeenLock } from './history';

/** How far an expiry may be off: Redis counts whole milliseconds. */
export const CLOCK_SLACK_MS = 5;

/** How long after its caller has hung up a call may still take effect: the longest single send. */
export const LATE_EFFECT_MS = 3500;

/** A possible state of a lock at a moment. */
export interface Lease {
  readonly owner: string;
  /** 0 for a grant without one. */
  readonly token: number;
  /** It may be over from the first on, and is over from the second on. */
  readonly endsFromMs: number;
  readonly endsByMs: number;
  /** When its end was told. Until then a repeated send may move it: a view may show an earlier one. */
  readonly toldAtMs: number;
  /** True where it may vanish at any moment: nobody was told of it, or the data was lost. */
  readonly mayVanish: boolean;
}

/** The time in which a call takes effect. */
export interface Span {
  readonly nowMs: number;
  readonly untilMs: number;
}

/** True where a call is about the grant that a lease is: by its token, or where none is named by its owner. */
export function isAbout({ kind, named, owner }: Operation, lease: Lease): boolean {
  if (kind === 'forceRelease' && named !== 0) return lease.token === named;
  if (lease.owner !== owner) return false;
  return named === undefined || lease.token === named;
}

/** True for a call by which its caller may come to hold the lock. */
export function takes({ kind }: Operation): boolean {
  return kind === 'tryLock' || kind === 'acquire';
}

/**
 * True for a grant that was answered so late that the lease of a first send was over. The call is sent again
 * then. That a later send was refused needs a measured reason: the fault rules judge it.
 */
export function mayHaveTakenTwice(operation: Operation): boolean {
  const { answer, calledAtMs, returnedAtMs, ttlMs } = operation;
  return answer === 'acquired' && returnedAtMs - calledAtMs >= ttlMs - CLOCK_SLACK_MS;
}

/** True for a call that ends a lease. */
export function releases({ kind }: Operation): boolean {
  return kind === 'unlock' || kind === 'release' || kind === 'forceRelease';
}

/** True where the lease may have ended by itself at the end of the span. */
export function mayBeFree(lease: Lease | undefined, { untilMs }: Span): boolean {
  return lease === undefined || lease.mayVanish || lease.endsFromMs <= untilMs + CLOCK_SLACK_MS;
}

/** True where the lease may last at the beginning of the span. */
export function mayLast(lease: Lease | undefined, nowMs: number): lease is Lease {
  return lease !== undefined && lease.endsByMs >= nowMs - CLOCK_SLACK_MS;
}

/** The lease of a grant. Undefined where the caller was told an end that no grant of the call has. */
export function toLease(
  operation: Operation,
  { nowMs }: Pick<Span, 'nowMs'>,
): Omit<Lease, 'mayVanish'> | undefined {
  const { owner, token = 0, ttlMs, validUntilMs = 0, mayLastUntilMs = 0 } = operation;
  const { returnedAtMs: toldAtMs } = operation;
  const longestMs = longestOf(operation);
  // A repeated send may move it until the call returns.
  if (validUntilMs > toldAtMs + longestMs + CLOCK_SLACK_MS) return undefined;
  const endsFromMs = Math.max(nowMs + ttlMs, validUntilMs);
  const endsByMs = Math.max(toldAtMs + longestMs, mayLastUntilMs);
  return { owner, token, endsFromMs, endsByMs, toldAtMs };
}

/** The lease after a renewal. Undefined where it can't have renewed this one, or told a false end. */
export function renewed(
  lease: Lease | undefined,
  operation: Operation,
  { nowMs }: Span,
): Lease | undefined {
  const { token, ttlMs, validUntilMs = 0, returnedAtMs: toldAtMs } = operation;
  if (!mayLast(lease, nowMs) || !isAbout(operation, lease)) return undefined;
  if (token !== undefined && token !== lease.token) return undefined;
  const endsByMs = Math.max(lease.endsByMs, toldAtMs + longestOf(operation));
  if (validUntilMs > endsByMs + CLOCK_SLACK_MS) return undefined;
  const endsFromMs = Math.max(lease.endsFromMs, nowMs + ttlMs, validUntilMs);
  return { ...lease, endsFromMs, endsByMs, toldAtMs };
}

/** A lease that a renewal of unknown outcome may have prolonged. */
export function maybeRenewed(lease: Lease, operation: Operation): Lease {
  const endsByMs = Math.max(lease.endsByMs, effectEndOf(operation) + longestOf(operation));
  return { ...lease, endsByMs };
}

/** How long the lease of a call lasts at most. */
export function longestOf({ ttlMs, longestTtlMs = ttlMs }: Operation): number {
  return longestTtlMs;
}

/** Until when a call of unknown outcome may take effect. */
export function effectEndOf({ returnedAtMs, lateMs = LATE_EFFECT_MS }: Operation): number {
  return returnedAtMs + lateMs;
}

/** True where a view that was taken in the time of the call shows this lease: owner, token and end belong together. */
export function isSeenAs(lease: Lease, { seen, calledAtMs, returnedAtMs }: Operation): boolean {
  if (seen?.owner !== lease.owner || seen.token !== lease.token) return false;
  return isEndOf(lease, seen, { nowMs: calledAtMs, untilMs: returnedAtMs });
}

function isEndOf(lease: Lease, { leftMs }: SeenLock, { nowMs, untilMs }: Span): boolean {
  if (leftMs === undefined) return false;
  const endsSoonEnough = nowMs + leftMs <= lease.endsByMs + CLOCK_SLACK_MS;
  if (nowMs < lease.toldAtMs) return endsSoonEnough;
  return endsSoonEnough && untilMs + leftMs >= lease.endsFromMs - CLOCK_SLACK_MS;
}

/** A forced release of a grant without a token names its end, too, and so may miss a later one of the same owner. */
export function isAnother(operation: Operation, lease: Lease): boolean {
  const { kind, named } = operation;
  return !isAbout(operation, lease) || (kind === 'forceRelease' && named === 0);
}

/** Where a call names a grant, that of the same owner may be another. */
export function isOfAnother(operation: Operation, owner: string): boolean {
  return operation.named !== undefined || owner !== operation.owner;
}
