import { useState } from 'preact/hooks';

import type { RecentEvent, RecentKind } from '../api/overview';
import { Name } from './name';
import { toAgo, toPlain } from './words';

/** How many events are listed at once. */
const LISTED = 50;

const KINDS = {
  lost: 'Lost',
  freed: 'Freed by force',
  failed: 'Failed',
  refused: 'Refused',
  granted: 'Granted',
} as const satisfies Record<RecentKind, string>;

/** Reasons are codes, except for those that somebody gave. */
function toWords({ kind, reason }: RecentEvent): string {
  return toPlain(kind === 'lost' ? reason.replaceAll('_', ' ') : reason);
}

/** The latest grants, refusals and losses of the sidecar, with a choice of kinds. */
export function RecentList({ events }: { readonly events: readonly RecentEvent[] }) {
  const [kind, setKind] = useState<RecentKind | 'all'>('all');
  const chosen = events.filter((event) => kind === 'all' || event.kind === kind);
  return (
    <>
      <fieldset class="kinds">
        <legend class="unseen">What to list</legend>
        {(['all', 'lost', 'freed', 'failed', 'refused', 'granted'] as const).map((one) => (
          <label key={one}>
            <input
              type="radio"
              name="kind"
              checked={kind === one}
              onChange={() => {
                setKind(one);
              }}
            />
            <span>{one === 'all' ? 'All' : KINDS[one]}</span>
          </label>
        ))}
      </fieldset>
      {chosen.length === 0 ? (
        <p class="empty">Nothing of this kind since the sidecar was started.</p>
      ) : (
        <EventList events={chosen.slice(0, LISTED)} />
      )}
    </>
  );
}

/**
 * A list of events, the latest first.
 *
 * @param isBrief true where all events are of one lock, which need not be named again
 */
export function EventList({
  events,
  isBrief = false,
}: {
  readonly events: readonly RecentEvent[];
  readonly isBrief?: boolean;
}) {
  return (
    <ul class={isBrief ? 'events brief' : 'events'}>
      {events.map((event, index) => (
        <li key={index}>
          <span class="ago">{toAgo(event.agoMs)}</span>
          <span class={`kind ${event.kind}`}>{KINDS[event.kind]}</span>
          {isBrief ? null : (
            <span class="what">
              <Name text={event.resourceId} />
            </span>
          )}
          <span class="who">
            {event.lockOwner === '' ? null : <Name text={event.lockOwner} />}
            {event.reason === '' ? null : <span class="why">{toWords(event)}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}
