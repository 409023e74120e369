import type { ShownLock } from './shown-locks';
import { toDuration } from './words';

/** Below this the lease is about to end, in milliseconds. */
const ENDING_MS = 3000;

/**
 * The time left of a lease: in words, and as a bar that runs down. A full bar is the longest time
 * that the page has seen of this grant.
 */
export function TimeLeft({ lock, nowMs }: { readonly lock: ShownLock; readonly nowMs: number }) {
  const { endsAtMs, fullMs } = lock;
  if (endsAtMs === undefined) return <span class="left">does not end</span>;
  const leftMs = Math.max(0, endsAtMs - nowMs);
  const part = fullMs === 0 ? 0 : Math.min(1, leftMs / fullMs);
  return (
    <span class={leftMs < ENDING_MS ? 'left ending' : 'left'}>
      <span class="time">{leftMs === 0 ? 'over' : toDuration(leftMs)}</span>
      <span class="bar" aria-hidden="true">
        <span style={{ transform: `scaleX(${part.toFixed(4)})` }} />
      </span>
    </span>
  );
}
