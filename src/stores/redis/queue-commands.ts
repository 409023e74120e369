import type { TryLockCall } from '../../lock/lock-store';
import type { SendStamp } from '../attempts/send-log';
import type { Granted } from './lock-commands';
import { askScript, openScript, refreshScript } from './queue-scripts';
import type { RedisClient } from './redis-link';
import { REPLY } from './redis-script';
import { noAnswer, oneOf, toNumber, toText } from './replies';
import { ScriptRunner } from './script-runner';
import { toChannel, toCompanionKey, toMarkerKey, toPresenceKey, toQueueKey } from './side-keys';

const { lapsed, sweeping, stale, superseded, exhausted } = REPLY;

/** A ticket's place as a script answers it. */
export interface Queued {
  /** Its score: what it came by, and comes back by. */
  readonly place: string;
  readonly ahead: number;
  /** What is left of the lease that is waited for, in milliseconds; -1 where it doesn't end, -2 where the lock is free. */
  readonly leftMs: number;
}

const readAskNumber = oneOf(lapsed, sweeping, stale, superseded, exhausted);
const readOpen = oneOf(REPLY.opened, REPLY.openedMute, stale);
const readRefreshNumber = oneOf(lapsed, stale);

/** What an ask may be answered with; see {@link REPLY}. */
export type AskReply = Granted | Queued | ReturnType<typeof readAskNumber>;

/** What the opening of a session may be answered with. */
export type OpenReply = ReturnType<typeof readOpen>;

/** What a refresh may be answered with: the numbers, from 0, of the locks that are free. */
export type RefreshReply = readonly number[] | ReturnType<typeof readRefreshNumber>;

/** A session of a sidecar's tickets. */
export interface Session {
  readonly sidecarId: string;
  readonly number: number;
}

/** What an ask is about. */
export interface AskTerms extends TryLockCall {
  readonly ticket: string;
  /** Undefined where none is known. */
  readonly place: string | undefined;
  readonly session: Session;
}

/** The commands of a queue, one each, as Redis gets them. Written and rejected as those of a lock are. */
export class QueueCommands {
  readonly #scripts = new ScriptRunner();

  /** Asks for a lock in turn. */
  ask(client: RedisClient, terms: AskTerms, stamp: SendStamp): Promise<AskReply> {
    const { key, owner, attempt, ttlMs, ticket, place = '', session } = terms;
    const { notAfterMs, number, markUntilMs } = stamp;
    const marker = toMarkerKey(key, attempt.id);
    return this.#scripts.run(client, {
      script: askScript,
      read: readAsk,
      keys: [key, toCompanionKey(key), marker, toQueueKey(key), toPresenceKey(session.sidecarId)],
      args: [
        owner,
        attempt.id,
        ...[ttlMs, notAfterMs, number, markUntilMs].map(String),
        ticket,
        String(session.number),
        place,
      ],
    });
  }

  /** Begins a session. */
  open(
    client: RedisClient,
    { sidecarId, number }: Session,
    notAfterMs: number,
  ): Promise<OpenReply> {
    return this.#scripts.run(client, {
      script: openScript,
      read: readOpen,
      keys: [toPresenceKey(sidecarId)],
      args: [String(number), String(notAfterMs), toChannel(sidecarId)],
    });
  }

  /** Keeps a session and the queues of these locks alive, and looks at the locks. */
  refresh(
    client: RedisClient,
    { session, locks }: { readonly session: Session; readonly locks: readonly string[] },
    notAfterMs: number,
  ): Promise<RefreshReply> {
    return this.#scripts.run(client, {
      script: refreshScript,
      read: readRefresh,
      keys: [toPresenceKey(session.sidecarId), ...locks],
      args: [String(session.number), String(notAfterMs)],
    });
  }
}

function readAsk(raw: unknown): AskReply {
  if (!Array.isArray(raw)) return readAskNumber(raw);
  const [head, first, ahead, leftMs] = raw as unknown[];
  if (head === REPLY.acquired) return { fencingToken: toNumber(first) };
  if (head !== REPLY.queued) throw noAnswer(raw);
  return { place: toText(first), ahead: toNumber(ahead), leftMs: toNumber(leftMs) };
}

function readRefresh(raw: unknown): RefreshReply {
  if (!Array.isArray(raw)) return readRefreshNumber(raw);
  const [head, ...free] = raw as unknown[];
  if (head !== REPLY.refreshed) throw noAnswer(raw);
  return free.map(toNumber);
}
