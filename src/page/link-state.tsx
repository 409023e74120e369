import type { View } from './monitor';
import { REFRESH_MS } from './monitor';
import { toAgo, toDuration } from './words';

/** After this many pauses without an answer, the view is old. */
const OLD_PAUSES = 3;

/** Whether the sidecar answers, and how old the view is. Changes of the former are announced. */
export function LinkState({ view, nowMs }: { readonly view: View; readonly nowMs: number }) {
  const { link, readAtMs } = view;
  const ageMs = readAtMs === undefined ? undefined : Math.max(0, nowMs - readAtMs);
  const isOld = ageMs !== undefined && ageMs > OLD_PAUSES * REFRESH_MS;
  return (
    <p class={`link-state ${link === 'live' && isOld ? 'old' : link}`}>
      <span role="status">{toWords(view)}</span>
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
