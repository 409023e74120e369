import type { TryLockCall } from '../../lock/lock-store';
import type { SendStamp } from '../attempts/send-log';
import type { Granted } from './lock-commands';
import { toAskScript, toOpenScript, toRefreshScript } from './queue-scripts';
import type { RedisClient } from './redis-link';
import { type RedisScript, REPLY } from './redis-script';
import { noAnswer, oneOf, toNumber, toText } from './replies';
import { ScriptRunner } from './script-runner';
import {
  PLAIN_SPELLING,
  type SideKeySpelling,
  toChannel,
  toCompanionKey,
  toMarkerKey,
  toPresenceKey,
  toQueueKey,
  withTag,
} from './side-keys';

const { lapsed, sweeping, stale, superseded, exhausted } = REPLY;

/** A ticket's place in a script's reply. */
export interface Queued {
  /** Its score in the queue, with which it can enter the queue again at the same place. */
  readonly place: string;
  readonly ahead: number;
  /**
   * Remaining time of the present lease, in milliseconds; -1 if it does not expire, -2 if the lock
   * is free.
   */
  readonly leftMs: number;
}

const readAskNumber = oneOf(lapsed, sweeping, stale, superseded, exhausted);
const readOpen = oneOf(REPLY.opened, REPLY.openedMute, stale);
const readRefreshNumber = oneOf(lapsed, stale);

/** The replies to an ask; see {@link REPLY}. */
export type AskReply = Granted | Queued | ReturnType<typeof readAskNumber>;

/** The replies to the opening of a session. */
export type OpenReply = ReturnType<typeof readOpen>;

/** The replies to a refresh. A list contains the indexes of the free locks, from 0. */
export type RefreshReply = readonly number[] | ReturnType<typeof readRefreshNumber>;

/** A session, to which tickets of a sidecar belong. */
export interface Session {
  readonly sidecarId: string;
  readonly number: number;
  /** The tag of the locks whose tickets belong to it. */
  readonly tag: string;
}

/** The parameters of an ask. */
export interface AskTerms extends TryLockCall {
  readonly ticket: string;
  /** Undefined if it is not known. */
  readonly place: string | undefined;
  readonly session: Session;
}

/**
 * The commands of a queue as Redis gets them. They are written, and reject, like {@link
 * LockCommands}.
 */
export class QueueCommands {
  readonly #scripts = new ScriptRunner();
  readonly #ask: RedisScript;
  readonly #open: RedisScript;
  readonly #refresh: RedisScript;

  constructor(spelling: SideKeySpelling = PLAIN_SPELLING) {
    this.#ask = toAskScript(spelling);
    this.#open = toOpenScript(spelling);
    this.#refresh = toRefreshScript(spelling);
  }

  /** Asks for a lock. */
  ask(client: RedisClient, terms: AskTerms, stamp: SendStamp): Promise<AskReply> {
    const { key, owner, attempt, ttlMs, ticket, place = '', session } = terms;
    const { notAfterMs, number, markUntilMs } = stamp;
    const { tag, sidecarId } = session;
    const marker = toMarkerKey(key, attempt.id, tag);
    const lock = [key, toCompanionKey(key, tag), marker, toQueueKey(key, tag)];
    return this.#scripts.run(client, {
      script: this.#ask,
      read: readAsk,
      keys: [...lock, toPresenceKey(sidecarId, tag)],
      args: withTag(
        [
          owner,
          attempt.id,
          ...[ttlMs, notAfterMs, number, markUntilMs].map(String),
          ticket,
          String(session.number),
          place,
        ],
        tag,
      ),
    });
  }

  /** Opens a session. */
  open(
    client: RedisClient,
    { sidecarId, number, tag }: Session,
    notAfterMs: number,
  ): Promise<OpenReply> {
    return this.#scripts.run(client, {
      script: this.#open,
      read: readOpen,
      keys: [toPresenceKey(sidecarId, tag)],
      args: withTag([String(number), String(notAfterMs), toChannel(sidecarId, tag)], tag),
    });
  }

  /** Keeps a session and the queues of these locks alive, and reads which locks are free. */
  refresh(
    client: RedisClient,
    { session, locks }: { readonly session: Session; readonly locks: readonly string[] },
    notAfterMs: number,
  ): Promise<RefreshReply> {
    return this.#scripts.run(client, {
      script: this.#refresh,
      read: readRefresh,
      keys: [toPresenceKey(session.sidecarId, session.tag), ...locks],
      args: withTag([String(session.number), String(notAfterMs)], session.tag),
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
