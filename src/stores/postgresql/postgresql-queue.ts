import { Cancellation, type CancelSignal } from '../../base/cancellation';
import { type Clock, processClock } from '../../base/clock';
import { type Attempt, createAttempt } from '../../lock/attempt';
import type { AskCall, AskResult, LockQueue, QueueListener } from '../../lock/store-abilities';
import { prepareAsk } from '../attempts/prepare-ask';
import { CHANNEL_PREFIX } from './function-pieces';
import { toUndo } from './lock-calls';
import type { PostgresqlCalls } from './postgresql-leases';
import { Ask, Open, type QueueSession, Refresh, type Ticket } from './queue-calls';
import type { WakeUpOptions, WakeUps } from './wake-ups';

/** How many locks one statement looks at, which takes PostgreSQL about a millisecond. */
const LOCKS_A_REFRESH = 500;

/** The dependencies of {@link PostgresqlQueue}. */
export interface PostgresqlQueueOptions extends PostgresqlCalls {
  /** Creates the connection for wake-ups. */
  readonly toWakeUps: (options: WakeUpOptions) => WakeUps;
  /** Default: the clock of the process. */
  readonly clock?: Clock;
}

const silentListener: QueueListener = {
  woken: () => undefined,
  missed: () => undefined,
  lapsed: () => undefined,
};

/**
 * The queues of one PostgreSQL, for one store of one sidecar. The tickets belong to a session, which
 * lives while it is refreshed; docs/decisions/0012 explains why.
 */
export class PostgresqlQueue implements LockQueue {
  readonly refreshEveryMs = 500;
  readonly #calls: PostgresqlCalls;
  readonly #wakeUps: WakeUps;
  readonly #clock: Clock;
  readonly #sidecarId = createAttempt().id;
  readonly #tickets = new WeakMap<Attempt, Ticket>();
  #listener = silentListener;
  #sessions = 0;
  #session: QueueSession | undefined;
  #opening: Promise<QueueSession> | undefined;

  constructor(options: PostgresqlQueueOptions) {
    this.#calls = options;
    this.#clock = options.clock ?? processClock;
    this.#wakeUps = options.toWakeUps({
      channel: CHANNEL_PREFIX + this.#sidecarId,
      onWoken: (attemptId) => {
        this.#listener.woken(attemptId);
      },
      onListening: () => {
        this.#listener.missed();
      },
    });
  }

  listen(listener: QueueListener): void {
    this.#listener = listener;
  }

  async ask(call: AskCall, signal: CancelSignal): Promise<AskResult> {
    this.#wakeUps.open();
    const { attempts, statements } = this.#calls;
    const ticket = this.#ticketOf(call.attempt);
    for (;;) {
      const { session, limits } = await prepareAsk(call, {
        ...this.#calls,
        clock: this.#clock,
        signal,
        openSession: () => this.#session ?? this.#openSession(),
      });
      const command = new Ask(statements, call, { ticket, session });
      const answer = await attempts.run(command, limits, signal);
      if (answer !== 'lapsed') return answer;
      this.#lapse(session);
    }
  }

  async refresh(keys: readonly string[], signal: CancelSignal): Promise<readonly string[]> {
    if (keys.length === 0) return [];
    const session = this.#session;
    if (session === undefined) {
      // No ask has succeeded since the last session ended.
      this.#listener.lapsed();
      return [];
    }
    const parts: Promise<readonly string[] | 'lapsed'>[] = [];
    for (let at = 0; at < keys.length; at += LOCKS_A_REFRESH) {
      parts.push(this.#refreshPart(session, keys.slice(at, at + LOCKS_A_REFRESH), signal));
    }
    const answers = await Promise.all(parts);
    if (answers.includes('lapsed')) this.#lapse(session);
    return answers.flatMap((answer) => (answer === 'lapsed' ? [] : answer));
  }

  leave({ key, attempt, ttlMs, waitUntilMs }: AskCall): Promise<void> {
    // While the ticket may live, it may still be granted, if only by a bug.
    const ticketMs = Math.max(0, waitUntilMs - this.#clock.now());
    const terms = { key, attempt, ttlMs: ticketMs + ttlMs };
    return this.#calls.attempts.withdraw(toUndo(this.#calls.statements, terms));
  }

  /** Stops listening for wake-ups. */
  close(): void {
    this.#wakeUps.close();
  }

  #refreshPart(session: QueueSession, keys: readonly string[], signal: CancelSignal) {
    const { attempts, statements, limits } = this.#calls;
    const { tryTimeoutMs } = limits;
    const command = new Refresh(statements, { session, keys }, this.#clock);
    return attempts.run(command, { tryTimeoutMs, callTimeoutMs: tryTimeoutMs }, signal);
  }

  /** Concurrent callers share one opening, which belongs to none of them. */
  #openSession(): Promise<QueueSession> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<QueueSession> {
    const toSession = (): QueueSession => {
      this.#sessions += 1;
      return { sidecarId: this.#sidecarId, number: this.#sessions };
    };
    const { attempts, statements, limits } = this.#calls;
    const command = new Open(statements, toSession, this.#clock);
    this.#session = await attempts.run(command, limits, new Cancellation());
    return this.#session;
  }

  /** Discards a session and reports, once, that its tickets may have been dropped. */
  #lapse(session: QueueSession): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#listener.lapsed();
  }

  #ticketOf(attempt: Attempt): Ticket {
    const known = this.#tickets.get(attempt);
    if (known !== undefined) return known;
    const ticket: Ticket = { place: undefined };
    this.#tickets.set(attempt, ticket);
    return ticket;
  }
}
