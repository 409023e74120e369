import { useState } from 'preact/hooks';

import { Modal } from './modal';
import type { WatchedLock } from './monitor';
import { Name } from './name';
import type { ShownLock } from './shown-locks';
import { CallError, type SidecarClient } from './sidecar-client';
import { toDuration, toToken } from './words';

/** The longest reason that the sidecar accepts, in characters. */
const LONGEST_REASON = 256;

/**
 * Asks before a lock is released by force. It names the grant that somebody looked at, and releases
 * that grant only, even if another one has the lock in the meantime.
 */
export function ForceRelease(props: {
  readonly client: SidecarClient;
  readonly watched: WatchedLock;
  readonly nowMs: number;
  readonly onDone: (sentence: string) => void;
  readonly onClose: () => void;
}) {
  const { client, watched, nowMs, onDone, onClose } = props;
  // What is confirmed stays what it is while the page goes on.
  const [lock] = useState(watched.lock);
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState('');
  const [isSending, setIsSending] = useState(false);
  const { storeName } = watched.name;

  const send = async (): Promise<void> => {
    setIsSending(true);
    setProblem('');
    try {
      const { status } = await client.forceRelease(toRequest(storeName, lock, reason));
      onDone(toSentence(status, lock));
    } catch (error) {
      setIsSending(false);
      setProblem(toProblem(error));
    }
  };

  const endsAtMs = lock.endsAtMs;
  return (
    <Modal title="Force release" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!isSending) void send();
        }}
      >
        <p>
          Release <Name text={lock.resourceId} /> of store <Name text={storeName} />, held by{' '}
          <Name text={lock.lockOwner} /> with token <b>{toToken(lock.fencingToken)}</b>
          {endsAtMs === undefined ? '' : `, ${toDuration(endsAtMs - nowMs)} left`}?
        </p>
        <p class="caution">
          This does not stop the holder. Make sure that its process is gone, or that what it writes
          to checks fencing tokens.
        </p>
        {isOther(watched, lock) ? (
          <p class="problem" role="status">
            The lock has another grant by now, or none. That one will not be touched.
          </p>
        ) : null}
        <label>
          Reason, for the log of the sidecar
          <input
            name="reason"
            required
            autofocus
            maxLength={LONGEST_REASON}
            autocomplete="off"
            value={reason}
            onInput={({ currentTarget }) => {
              setReason(currentTarget.value);
            }}
          />
        </label>
        <p class="problem" role="alert">
          {problem}
        </p>
        <p class="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="danger" disabled={isSending}>
            {lock.fencingToken === 0 ? 'Release this grant' : `Release token ${lock.fencingToken}`}
          </button>
        </p>
      </form>
    </Modal>
  );
}

function toRequest(storeName: string, lock: ShownLock, reason: string) {
  const { resourceId, lockOwner, fencingToken, expiresAtMs } = lock;
  return { storeName, resourceId, lockOwner, fencingToken, expiresAtMs, reason: reason.trim() };
}

function isOther({ state, lock: now }: WatchedLock, lock: ShownLock): boolean {
  const isSame = now.fencingToken === lock.fencingToken && now.lockOwner === lock.lockOwner;
  return state === 'free' || !isSame;
}

function toSentence(
  status: 'RELEASED' | 'NOT_FOUND' | 'HELD_BY_OTHER',
  { fencingToken }: ShownLock,
): string {
  const grant = fencingToken === 0 ? 'the grant' : `token ${fencingToken}`;
  switch (status) {
    case 'RELEASED':
      return `Released: ${grant} no longer has the lock.`;
    case 'NOT_FOUND':
      return 'Nothing to release: nobody holds the lock any more.';
    case 'HELD_BY_OTHER':
      return `Nothing was done: ${grant} had lost the lock already, and another has it.`;
  }
}

function toProblem(error: unknown): string {
  if (!(error instanceof CallError)) return String(error);
  switch (error.kind) {
    case 'unreachable':
      return `No answer: ${error.message}. Whether the lock was released, the list will show.`;
    case 'token':
      return 'The API token is not valid any more. Reload the page and enter it again.';
    case 'denied':
      return 'The configuration of the sidecar denies its locks by now.';
    case 'failed':
      return error.errorCode === 'ERR_FOREIGN_ORIGIN'
        ? `${error.message}. Behind a proxy, --allowed-origins must name the origin of this page.`
        : error.message;
  }
}
