/** How a lock call ended for its client. */
export type Answer =
  'acquired' | 'refused' | 'unlocked' | 'not_found' | 'held_by_other' | 'not-applied' | 'unknown';

/** One lock call, as its client saw it; times are milliseconds of one monotonic clock. */
export interface Operation {
  readonly id: number;
  readonly kind: 'tryLock' | 'unlock';
  readonly key: string;
  /** Who was asked: Holdfast, or a plain client that issues daprd's commands. */
  readonly by: 'holdfast' | 'daprd';
  readonly owner: string;
  /** Of a tryLock; 0 for an unlock. */
  readonly ttlMs: number;
  readonly calledAtMs: number;
  readonly returnedAtMs: number;
  readonly answer: Answer;
  /** The text of an error. */
  readonly reason?: string;
  /** Which version of Holdfast answered, in a run with two of them. */
  readonly version?: 'first' | 'present' | undefined;
}

/** A time in which something was broken. */
export interface FaultWindow {
  readonly kind: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** True where the server lost its data at some moment of it: every lease is void then. */
  readonly losesData: boolean;
}

/** Everything that a run has seen. */
export interface History {
  readonly operations: readonly Operation[];
  readonly faults: readonly FaultWindow[];
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
