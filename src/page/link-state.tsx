import type { View } from './monitor';
import { REFRESH_MS } from './monitor';
import { toAgo, toDuration } from './words';

/** After this many pauses without an answer, the view is old. */
const OLD_PAUSES = 3;

/** True if the last answer is so long ago that the view may be wrong by now. */
export function isOldView({ readAtMs }: View, nowMs: number): boolean {
  return readAtMs !== undefined && nowMs - readAtMs > OLD_PAUSES * REFRESH_MS;
}

/** Whether the sidecar answers, and how old the view is. Changes of the former are announced. */
export function LinkState({ view, nowMs }: { readonly view: View; readonly nowMs: number }) {
  const { link, readAtMs } = view;
  const ageMs = readAtMs === undefined ? undefined : Math.max(0, nowMs - readAtMs);
  const isOutdated = link === 'live' && isOldView(view, nowMs);
  return (
    <p class={`link-state ${isOutdated ? 'old' : link}`}>
      <span role="status">{isOutdated ? 'Out of date' : toWords(view)}</span>
      {ageMs === undefined || link === 'token' || link === 'denied' ? null : (
        <span class="age">{toAge(ageMs)}</span>
      )}
    </p>
  );
}

function toWords({ link, problem }: View): string {
  switch (link) {
    case 'starting':
      return 'Connecting…';
    case 'live':
      return 'Live';
    case 'token':
      return 'Locked';
    case 'denied':
      return 'Denied';
    case 'unreachable':
      return 'The sidecar does not answer; trying again';
    case 'failed':
      return `The sidecar failed: ${problem}`;
  }
}

/** In tenths while it is young, so that it is seen to move. */
function toAge(ageMs: number): string {
  return `${ageMs < 9950 ? toDuration(ageMs) : toAgo(ageMs).replace(' ago', '')} old`;
}
