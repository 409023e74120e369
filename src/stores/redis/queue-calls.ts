import type { Clock } from '../../base/clock';
import { type Attempt, createAttempt } from '../../lock/attempt';
import type { AskCall, AskResult } from '../../lock/store-abilities';
import type { Command, Verdict } from '../attempts/command';
import type { SendStamp } from '../attempts/send-log';
import { toValidUntil } from './lease-end';
import { noTokenLeft } from './lock-calls';
import type { AskReply, OpenReply, QueueCommands, RefreshReply, Session } from './queue-commands';
import { TICKET_LIFE_MS } from './queue-scripts';
import type { RedisLink } from './redis-link';
import { REPLY } from './redis-script';
import { toPresenceKey } from './side-keys';
import type { Ticket } from './ticket';
import { withoutTime } from './unsupported';

/**
 * The result of an ask. After `lapsed`, ask again in a new session; after `sweeping`, in the same
 * one.
 */
export type AskAnswer = AskResult | 'lapsed' | 'sweeping';

/** An ask as it is sent to Redis. */
export class Ask implements Command<RedisLink, AskReply, AskAnswer> {
  readonly key: string;
  readonly attempt: Attempt;
  readonly leaseMs: number;
  readonly #commands: QueueCommands;
  readonly #call: AskCall;
  readonly #ticket: Ticket;
  readonly #session: Session;

  constructor(
    commands: QueueCommands,
    call: AskCall,
    { ticket, session }: { readonly ticket: Ticket; readonly session: Session },
  ) {
    this.key = call.key;
    this.attempt = call.attempt;
    this.leaseMs = call.ttlMs;
    this.#commands = commands;
    this.#call = call;
    this.#ticket = ticket;
    this.#session = session;
  }

  send({ client, clock }: RedisLink, stamp: SendStamp | undefined): Promise<AskReply> {
    if (stamp === undefined || clock === undefined) return Promise.reject(withoutTime());
    const ticket = this.#ticket.nameAt(clock.at(this.#call.waitUntilMs));
    const { place } = this.#ticket;
    const terms = { ...this.#call, ticket, place, session: this.#session };
    return this.#commands.ask(client, terms, stamp);
  }

  judge(reply: AskReply, sentAtMs: number): Verdict<AskAnswer> {
    switch (reply) {
      case REPLY.lapsed:
        return { answer: 'lapsed' };
      case REPLY.sweeping:
        return { answer: 'sweeping', isSettled: true };
      case REPLY.stale:
        return 'stale';
      case REPLY.superseded:
        return 'superseded';
      case REPLY.exhausted:
        throw noTokenLeft();
      default:
        return 'place' in reply ? this.#queued(reply, sentAtMs) : this.#granted(reply, sentAtMs);
    }
  }

  #granted({ fencingToken }: { readonly fencingToken: number }, sentAtMs: number) {
    const validUntilMs = toValidUntil(sentAtMs, this.leaseMs);
    const answer: AskResult = { state: 'granted', grant: { fencingToken, validUntilMs } };
    return { answer, validUntilMs, isSettled: true };
  }

  #queued(
    { place, ahead, leftMs }: Extract<AskReply, { readonly place: string }>,
    sentAtMs: number,
  ) {
    this.#ticket.place = place;
    // An earlier ask would be in vain, because the server read the remaining time after the send.
    const freeAtMs = leftMs === -1 ? undefined : sentAtMs + Math.max(0, leftMs);
    const answer: AskResult = { state: 'queued', ahead, freeAtMs };
    return { answer, isSettled: true };
  }
}

/** The opening of a session as it is sent to Redis. Each send opens a new session. */
export class Open implements Command<RedisLink, OpenReply, { session: Session; isMute: boolean }> {
  readonly key: string;
  readonly attempt: Attempt = createAttempt();
  readonly #commands: QueueCommands;
  readonly #toSession: () => Session;
  readonly #clock: Clock;
  #session: Session;

  /** @param toSession creates a session that was never used */
  constructor(commands: QueueCommands, toSession: () => Session, clock: Clock) {
    this.#commands = commands;
    this.#clock = clock;
    this.#toSession = toSession;
    this.#session = toSession();
    this.key = toPresenceKey(this.#session.sidecarId, this.#session.tag);
  }

  send({ client, clock }: RedisLink, stamp: SendStamp | undefined): Promise<OpenReply> {
    if (stamp === undefined || clock === undefined) return Promise.reject(withoutTime());
    this.#session = this.#toSession();
    // A late command would revive a session that has lapsed.
    const liveUntilMs = clock.at(this.#clock.now() + TICKET_LIFE_MS);
    const notAfterMs = Math.min(stamp.notAfterMs, liveUntilMs);
    return this.#commands.open(client, this.#session, notAfterMs);
  }

  judge(reply: OpenReply): Verdict<{ session: Session; isMute: boolean }> {
    if (reply === REPLY.stale) return 'stale';
    return { answer: { session: this.#session, isMute: reply === REPLY.openedMute } };
  }
}

/**
 * How late a refresh may take effect, in milliseconds. A later one would keep dead tickets alive.
 */
const REFRESH_WITHIN_MS = 1000;

/** A refresh as it is sent to Redis. */
export class Refresh implements Command<RedisLink, RefreshReply, readonly string[] | 'lapsed'> {
  readonly key: string;
  readonly attempt: Attempt = createAttempt();
  readonly #commands: QueueCommands;
  readonly #terms: { readonly session: Session; readonly locks: readonly string[] };
  readonly #clock: Clock;

  constructor(
    commands: QueueCommands,
    terms: { readonly session: Session; readonly locks: readonly string[] },
    clock: Clock,
  ) {
    this.#commands = commands;
    this.#clock = clock;
    this.#terms = terms;
    this.key = toPresenceKey(terms.session.sidecarId, terms.session.tag);
  }

  send({ client, clock }: RedisLink, stamp: SendStamp | undefined): Promise<RefreshReply> {
    if (stamp === undefined || clock === undefined) return Promise.reject(withoutTime());
    const latestMs = clock.at(this.#clock.now() + REFRESH_WITHIN_MS);
    const notAfterMs = Math.min(stamp.notAfterMs, latestMs);
    return this.#commands.refresh(client, this.#terms, notAfterMs);
  }

  judge(reply: RefreshReply): Verdict<readonly string[] | 'lapsed'> {
    if (reply === REPLY.stale) return 'stale';
    if (reply === REPLY.lapsed) return { answer: 'lapsed' };
    return { answer: reply.map((index) => this.#terms.locks[index] ?? '') };
  }
}
