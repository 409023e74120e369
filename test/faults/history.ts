/** The calls of a history: Dapr's two, and those of the native API. A hold is the calls that it makes. */
export type CallKind =
  'tryLock' | 'unlock' | 'acquire' | 'renew' | 'release' | 'forceRelease' | 'get' | 'list';

/** How a lock call ended for its client. */
export type Answer =
  | 'acquired'
  | 'refused'
  | 'renewed'
  | 'unlocked'
  | 'not_found'
  | 'held_by_other'
  | 'seen'
  | 'free'
  | 'not-applied'
  | 'unknown';

/** A lock as a view shows it. */
export interface SeenLock {
  readonly owner: string;
  /** 0 for none. */
  readonly token: number;
  /** The time left of its lease. Undefined if it doesn't end. */
  readonly leftMs: number | undefined;
  readonly expiresAtMs: number;
}

/** One lock call, as its client saw it; times are milliseconds of one monotonic clock. */
export interface Operation {
  readonly id: number;
  readonly kind: CallKind;
  readonly key: string;
  /** The server that was asked: Holdfast, or a plain client that issues daprd's commands. */
  readonly by: 'holdfast' | 'daprd';
  readonly owner: string;
  /** Of a lease that is taken or renewed; 0 otherwise. */
  readonly ttlMs: number;
  /** How long that lease may last, where the store may make it longer than asked. */
  readonly longestTtlMs?: number | undefined;
  readonly calledAtMs: number;
  readonly returnedAtMs: number;
  readonly answer: Answer;
  /** The text of an error. */
  readonly reason?: string | undefined;
  /** Which version of Holdfast answered, in a run with two of them. */
  readonly version?: 'first' | 'present' | undefined;
  /** The number of the sidecar that was asked. */
  readonly sidecar?: number | undefined;
  readonly over?: Transport | undefined;
  /** How long the call was to wait for its turn. */
  readonly waitMs?: number | undefined;
  /** The fencing token that a grant or a renewal was answered with. */
  readonly token?: number | undefined;
  /** The token of the grant that a call names, where it names one. */
  readonly named?: number | undefined;
  /** Until when the lease was said to be valid. */
  readonly validUntilMs?: number | undefined;
  /** Of a grant that somebody may go on to renew without a word: when its lease is over at the latest. */
  readonly mayLastUntilMs?: number | undefined;
  /** Of a call of unknown outcome: how long after its return it may take effect, if not for the longest send. */
  readonly lateMs?: number | undefined;
  /** How long its client was to wait for the answer, where that is known. */
  readonly patienceMs?: number | undefined;
  /** The content of a view. */
  readonly seen?: SeenLock | undefined;
  /** True for what was not counted as a call: a part of a hold, of a listing or of a refusal. */
  readonly isPart?: boolean;
}

/** A transport of the API. */
export type Transport = 'grpc' | 'http';

/** A time in which something was broken. */
export interface FaultWindow {
  readonly kind: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** True where the server lost its data at some moment of it: every lease is void then. */
  readonly losesData: boolean;
  /** The sidecar that was concerned, or whose way to Redis was; undefined where all were. */
  readonly sidecar?: number | undefined;
  /** Whether the lock of a key was concerned; all were where this is left out. */
  readonly concerns?: (key: string) => boolean;
}

/** Everything that a run has seen. */
export interface History {
  readonly operations: readonly Operation[];
  readonly faults: readonly FaultWindow[];
  /** Times in which a process did not get the processor, or its disk; none where this is left out. */
  readonly stalls?: readonly FaultWindow[];
  /** How long the sends of each sidecar wait for their reply, where it is known. */
  readonly sendWaitsMs?: readonly (number | undefined)[];
}

/** The first of a sorted list for which something holds that holds for all after it; its index. */
export function firstIndex<T>(sorted: readonly T[], holds: (each: T) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(sorted[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** True where a time meets one of the windows, which come one after another. */
export function meetsAny(
  windows: readonly { readonly fromMs: number; readonly toMs: number }[],
  time: { readonly fromMs: number; readonly toMs: number },
): boolean {
  const next = windows[firstIndex(windows, ({ toMs }) => toMs >= time.fromMs)];
  return next !== undefined && next.fromMs <= time.toMs;
}

/** The faults in which the data of a lock was lost. */
export function lossesOf(faults: readonly FaultWindow[], key: string): readonly FaultWindow[] {
  return faults.filter(({ losesData, concerns }) => losesData && (concerns?.(key) ?? true));
}

/** Sorts calls by the lock that they are about. */
export function byKey<T extends { readonly key: string }>(calls: readonly T[]): Map<string, T[]> {
  const sorted = new Map<string, T[]>();
  for (const call of calls) {
    const ofKey = sorted.get(call.key);
    if (ofKey === undefined) sorted.set(call.key, [call]);
    else ofKey.push(call);
  }
  return sorted;
}
