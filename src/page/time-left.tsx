import type { ShownLock } from './shown-locks';
import { toDuration } from './words';

/** Below this the lease is about to end, in milliseconds. */
const ENDING_MS = 3000;

/** The lengths of bars, in milliseconds: leases are usually round. */
const ROUND_MS = [
  ...[10, 30, 60, 300, 900].map((seconds) => seconds * 1000),
  ...[1, 6, 24, 168].map((hours) => hours * 3_600_000),
];

/**
 * The time left of a lease: in words, and as a bar that runs down. How long the lease was is not
 * known. A full bar is the next round time above the longest one that the page has seen of this
 * grant: 10 or 30 s; 1, 5 or 15 min; 1, 6 or 24 h; a week.
 */
export function TimeLeft({ lock, nowMs }: { readonly lock: ShownLock; readonly nowMs: number }) {
  const { endsAtMs, longestMs } = lock;
  if (endsAtMs === undefined) return <span class="left">does not end</span>;
  const leftMs = Math.max(0, endsAtMs - nowMs);
  const fullMs = ROUND_MS.find((roundMs) => roundMs >= longestMs) ?? longestMs;
  const part = Math.min(1, leftMs / fullMs);
  return (
    <span class={leftMs < ENDING_MS ? 'left ending' : 'left'}>
      <span class="time">{leftMs === 0 ? 'over' : toDuration(leftMs)}</span>
      <span class="bar" aria-hidden="true">
        <span style={{ transform: `scaleX(${part.toFixed(4)})` }} />
      </span>
    </span>
  );
}
