import type { Clock } from '../../base/clock';
import { type Attempt, createAttempt } from '../../lock/attempt';
import type { AskCall, AskResult } from '../../lock/store-abilities';
import type { Command, Verdict } from '../attempts/command';
import type { SendStamp } from '../attempts/send-log';
import { TICKET_LIFE_MS } from './function-pieces';
import { toValidUntil } from './lease-end';
import { withoutStamp } from './lock-calls';
import type { PostgresqlLink } from './postgresql-link';
import { oneRow, toNumber, toNumbers, toText, toWord } from './replies';
import type { Rows } from './session';
import { keyParameters, stampParameters, type Statements, toLockId } from './statements';

const ASK_WORDS = ['granted', 'queued', 'lapsed', 'stale', 'superseded'] as const;
const OPEN_WORDS = ['opened', 'stale'] as const;
const REFRESH_WORDS = ['refreshed', 'lapsed', 'stale'] as const;

/**
 * How long a ticket lives after its waiter's deadline, in milliseconds. Nothing is granted after
 * the deadline, and clocks are only known to some milliseconds.
 */
const SLACK_MS = 1000;

/** A session, to which tickets of a sidecar belong. */
export interface QueueSession {
  readonly sidecarId: string;
  readonly number: number;
}

/** A waiter's ticket, as its sidecar knows it. */
export interface Ticket {
  /** Its place in the queue. Undefined until the first reply. */
  place: string | undefined;
}

/** The result of an ask. After `lapsed`, ask again in a new session. */
export type AskAnswer = AskResult | 'lapsed';

/** The inputs of an ask beside the call. */
export interface AskState {
  readonly ticket: Ticket;
  readonly session: QueueSession;
}

/** An ask as it is sent to PostgreSQL. */
export class Ask implements Command<PostgresqlLink, Rows, AskAnswer> {
  readonly key: string;
  readonly attempt: Attempt;
  readonly leaseMs: number;
  readonly #statements: Statements;
  readonly #call: AskCall;
  readonly #state: AskState;

  constructor(statements: Statements, call: AskCall, state: AskState) {
    this.key = call.key;
    this.attempt = call.attempt;
    this.leaseMs = call.ttlMs;
    this.#statements = statements;
    this.#call = call;
    this.#state = state;
  }

  send(link: PostgresqlLink, stamp: SendStamp | undefined): Promise<Rows> {
    const { clock } = link;
    if (stamp === undefined || clock === undefined) return Promise.reject(withoutStamp());
    const { owner, waitUntilMs } = this.#call;
    const { ticket, session } = this.#state;
    return link.run(
      this.#statements.call('ask', {
        ...keyParameters(this.key),
        ...stampParameters(stamp),
        ...sessionParameters(session),
        p_owner: Buffer.from(owner),
        p_attempt: this.attempt.id,
        p_ttl: this.leaseMs,
        p_deadline: clock.at(waitUntilMs) + SLACK_MS,
        p_place: ticket.place,
      }),
    );
  }

  judge(rows: Rows, sentAtMs: number): Verdict<AskAnswer> {
    const row = oneRow(rows);
    const word = toWord(row[0], ASK_WORDS);
    if (word === 'lapsed') return { answer: 'lapsed' };
    if (word === 'granted') return this.#granted(row, sentAtMs);
    return word === 'queued' ? this.#queued(row, sentAtMs) : word;
  }

  #granted([, token]: readonly unknown[], sentAtMs: number): Verdict<AskAnswer> {
    const validUntilMs = toValidUntil(sentAtMs, this.leaseMs);
    const grant = { fencingToken: toNumber(token), validUntilMs };
    return { answer: { state: 'granted', grant }, validUntilMs, isSettled: true };
  }

  #queued([, , place, ahead, leftMs]: readonly unknown[], sentAtMs: number): Verdict<AskAnswer> {
    this.#state.ticket.place = toText(place);
    // An earlier ask would be in vain, because the server read the remaining time after the send.
    const freeAtMs = sentAtMs + toNumber(leftMs);
    return { answer: { state: 'queued', ahead: toNumber(ahead), freeAtMs }, isSettled: true };
  }
}

/** The opening of a session as it is sent to PostgreSQL. Each send opens a new session. */
export class Open implements Command<PostgresqlLink, Rows, QueueSession> {
  readonly key = '';
  readonly attempt: Attempt = createAttempt();
  readonly #statements: Statements;
  readonly #toSession: () => QueueSession;
  readonly #clock: Clock;
  #session: QueueSession;

  /** @param toSession creates a session that was never used */
  constructor(statements: Statements, toSession: () => QueueSession, clock: Clock) {
    this.#statements = statements;
    this.#clock = clock;
    this.#toSession = toSession;
    this.#session = toSession();
  }

  send(link: PostgresqlLink, stamp: SendStamp | undefined): Promise<Rows> {
    if (stamp === undefined) return Promise.reject(withoutStamp());
    this.#session = this.#toSession();
    // A late statement would revive a session that has lapsed.
    const given = {
      ...sessionParameters(this.#session),
      p_not_after: toLatest(link, stamp, this.#clock.now() + TICKET_LIFE_MS),
    };
    return link.run(this.#statements.call('open', given));
  }

  judge(rows: Rows): Verdict<QueueSession> {
    const word = toWord(oneRow(rows)[0], OPEN_WORDS);
    return word === 'stale' ? word : { answer: this.#session };
  }
}

/**
 * How late a refresh may take effect, in milliseconds. A later one would keep dead tickets alive.
 */
const REFRESH_WITHIN_MS = 1000;

/** The session that a refresh keeps alive, and the queues that it looks at. */
export interface RefreshTerms {
  readonly session: QueueSession;
  readonly keys: readonly string[];
}

/** A refresh as it is sent to PostgreSQL. */
export class Refresh implements Command<PostgresqlLink, Rows, readonly string[] | 'lapsed'> {
  readonly key = '';
  readonly attempt: Attempt = createAttempt();
  readonly #statements: Statements;
  readonly #terms: RefreshTerms;
  readonly #clock: Clock;

  constructor(statements: Statements, terms: RefreshTerms, clock: Clock) {
    this.#statements = statements;
    this.#terms = terms;
    this.#clock = clock;
  }

  send(link: PostgresqlLink, stamp: SendStamp | undefined): Promise<Rows> {
    if (stamp === undefined) return Promise.reject(withoutStamp());
    const given = {
      ...sessionParameters(this.#terms.session),
      p_ids: this.#terms.keys.map(toLockId),
      p_not_after: toLatest(link, stamp, this.#clock.now() + REFRESH_WITHIN_MS),
    };
    return link.run(this.#statements.call('refresh', given));
  }

  judge(rows: Rows): Verdict<readonly string[] | 'lapsed'> {
    const [reply, free] = oneRow(rows);
    const word = toWord(reply, REFRESH_WORDS);
    if (word === 'stale') return word;
    if (word === 'lapsed') return { answer: word };
    // The server counts from 1.
    return { answer: toNumbers(free).map((index) => this.#terms.keys[index - 1] ?? '') };
  }
}

function sessionParameters({ sidecarId, number }: QueueSession) {
  return { p_sidecar: sidecarId, p_session: number };
}

/** The send's notAfter, or a local time on the server's clock if that is earlier. */
function toLatest({ clock }: PostgresqlLink, stamp: SendStamp, localMs: number): number {
  return Math.min(stamp.notAfterMs, clock?.at(localMs) ?? stamp.notAfterMs);
}
