import type { ComponentChildren } from 'preact';

import type { RecentEvent } from '../api/overview';
import { Modal } from './modal';
import type { WatchedLock } from './monitor';
import { Name } from './name';
import { EventList } from './recent-list';
import { TimeLeft } from './time-left';
import { toAgo, toCount, toToken } from './words';

/** One lock: who holds it, who waits, when it was renewed, and what happened to it lately. */
export function LockDialog(props: {
  readonly watched: WatchedLock;
  readonly recent: readonly RecentEvent[];
  readonly nowMs: number;
  /** False if the sidecar has not answered lately. */
  readonly isFresh: boolean;
  readonly onForce: () => void;
  readonly onClose: () => void;
}) {
  const { watched, recent, nowMs, isFresh, onForce, onClose } = props;
  const { name, state } = watched;
  return (
    <Modal title="Lock" onClose={onClose}>
      <dl>
        <Row title="Resource">
          <div class="whole" role="region" aria-label="Resource" tabIndex={0}>
            <Name text={name.resourceId} whole />
          </div>
        </Row>
        <Row title="Store">
          <Name text={name.storeName} />
        </Row>
        {state === 'held' ? <Holder watched={watched} nowMs={nowMs} /> : null}
      </dl>
      <p class="state" role="status">
        {toSentence(watched)}
      </p>
      <Age watched={watched} nowMs={nowMs} isFresh={isFresh} />
      {recent.length > 0 ? (
        <>
          <h3>Lately, through this sidecar</h3>
          <EventList events={recent} isBrief />
        </>
      ) : null}
      <p class="actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
        {state === 'held' ? (
          <button type="button" class="danger" onClick={onForce}>
            Force release…
          </button>
        ) : null}
      </p>
    </Modal>
  );
}

/** From this age on, what is known of the lock has its age beside it, in milliseconds. */
const OLD_MS = 6000;

/** How long ago the lease was last renewed, and how old all of this is if nobody answered lately. */
function Age(props: {
  readonly watched: WatchedLock;
  readonly nowMs: number;
  readonly isFresh: boolean;
}) {
  const { watched, nowMs, isFresh } = props;
  const { readAtMs, state, lock } = watched;
  const isOld = !isFresh || nowMs - readAtMs > OLD_MS;
  return (
    <>
      {state !== 'held' || lock.renewedAtMs === undefined ? null : (
        <p class="renewed">{`Last renewed ${toPassed(nowMs - lock.renewedAtMs)}.`}</p>
      )}
      {isOld ? (
        <p class="problem">{`All of this is as of ${toPassed(nowMs - readAtMs)}.`}</p>
      ) : null}
    </>
  );
}

function toPassed(ms: number): string {
  return toAgo(ms).replace(/^now$/, 'just now');
}

function Holder({
  watched: { lock },
  nowMs,
}: {
  readonly watched: WatchedLock;
  readonly nowMs: number;
}) {
  const { lockOwner, fencingToken, expiresAtMs, waiters } = lock;
  return (
    <>
      <Row title="Owner">
        <Name text={lockOwner} whole />
      </Row>
      <Row title="Token">{toToken(fencingToken)}</Row>
      <Row title="Time left">
        <TimeLeft lock={lock} nowMs={nowMs} />
      </Row>
      {expiresAtMs > 0 ? (
        <Row title="Ends at">
          {`${new Date(expiresAtMs).toLocaleTimeString()} by the clock of the store`}
        </Row>
      ) : null}
      <Row title="Waiters">{waiters === 0 ? 'none' : waiters}</Row>
    </>
  );
}

function Row({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
}) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function toSentence({ state, lock: { renewals, fencingToken } }: WatchedLock): string {
  if (state === 'free') return 'Nobody holds this lock now.';
  if (state === 'unseen') return 'It is not among the locks that are shown, and may be free.';
  if (renewals > 0) {
    return `Renewed ${toCount(renewals, 'time')} while you watched.`;
  }
  if (fencingToken === 0) return 'Its grant has no token: it was not taken through Holdfast.';
  return 'Not renewed while you watched. If its holder is gone, the lease ends by itself.';
}
