import { setTimeout as pause } from 'node:timers/promises';

/** What keeps a process running, by kind: `TCPServerWrap`, `ProcessWrap`, `Timeout`, … */
export type OpenResources = ReadonlyMap<string, number>;

/** Counts what keeps this process running now. */
export function countOpen(): OpenResources {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/**
 * Waits until nothing is open any more that was not open before. Returns what still is once the time has passed, such as
 * `TCPServerWrap: 1`.
 */
export async function findLeftOpen(
  before: OpenResources,
  { withinMs }: { readonly withinMs: number },
): Promise<readonly string[]> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const left = [...countOpen()].flatMap(([kind, count]) => {
      const more = count - (before.get(kind) ?? 0);
      return more > 0 ? [`${kind}: ${more}`] : [];
    });
    if (left.length === 0 || performance.now() > deadline) return left;
    await pause(10, undefined, { ref: false });
  }
}
