import { firstIndex, meetsAny, type Operation } from './history';

/** How long after it was answered a waiter's ticket may stand: it is withdrawn then, when Redis can be reached. */
const LINGERS_MS = 500;

/** The same in a time of faults: as long as a ticket may live that nobody refreshes, and a look at it. */
const LINGERS_IN_FAULTS_MS = 4000;

/** Longer than anybody waits. */
const LONGEST_MS = 30_000;

/** The times in which somebody waited for a lock: a free one is refused to all others then. */
export class QueueTimes {
  readonly #waits: readonly {
    readonly fromMs: number;
    readonly toMs: number;
    readonly id: number;
  }[];
  readonly #merged: readonly { readonly fromMs: number; readonly toMs: number }[];

  constructor(operations: readonly Operation[], isDisturbed: (operation: Operation) => boolean) {
    this.#waits = operations
      .filter(({ kind, waitMs = 0 }) => kind === 'acquire' && waitMs > 0)
      .map((wait) => ({
        id: wait.id,
        fromMs: wait.calledAtMs,
        toMs: wait.returnedAtMs + (isDisturbed(wait) ? LINGERS_IN_FAULTS_MS : LINGERS_MS),
      }))
      .sort((one, other) => one.fromMs - other.fromMs);
    this.#merged = merge(this.#waits);
  }

  /** True where another waited in the time of a call. */
  hasOtherThan({ id, waitMs = 0, calledAtMs: fromMs, returnedAtMs: toMs }: Operation): boolean {
    const time = { fromMs, toMs };
    if (waitMs === 0) return meetsAny(this.#merged, time);
    let at = firstIndex(this.#waits, (wait) => wait.fromMs >= fromMs - LONGEST_MS);
    for (; at < this.#waits.length && this.#waits[at]!.fromMs <= toMs; at += 1) {
      if (this.#waits[at]!.id !== id && this.#waits[at]!.toMs >= fromMs) return true;
    }
    return false;
  }
}

/** The same times as ones that come one after another. */
function merge(times: readonly { readonly fromMs: number; readonly toMs: number }[]) {
  const merged: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of times) {
    const last = merged.at(-1);
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else merged.push({ fromMs, toMs });
  }
  return merged;
}
