import type { CancelSignal } from '../../base/cancellation';
import { type Clock, processClock } from '../../base/clock';
import type { Logger } from '../../base/logger';
import { type Attempt, createAttempt } from '../../lock/attempt';
import type { AskCall, AskResult, LockQueue, QueueListener } from '../../lock/store-abilities';
import type { Attempts } from '../attempts/attempts';
import type { TimeLimits } from '../attempts/command';
import { prepareAsk } from '../attempts/prepare-ask';
import { toUndo } from './lock-calls';
import type { LockCommands } from './lock-commands';
import { Ask, Open, Refresh } from './queue-calls';
import { QueueCommands, type Session } from './queue-commands';
import type { RedisLink } from './redis-link';
import type { RedisSettings } from './redis-settings';
import { toChannel } from './side-keys';
import { Ticket } from './ticket';
import { toSupported } from './unsupported';
import { WakeUps } from './wake-ups';

/** How many locks one script checks, which takes Redis about 100 µs. */
const LOCKS_A_REFRESH = 200;

/** The dependencies of {@link RedisQueue}. */
export interface RedisQueueOptions {
  readonly settings: RedisSettings;
  readonly logger: Logger;
  readonly attempts: Attempts<RedisLink>;
  readonly commands: LockCommands;
  readonly queueCommands?: QueueCommands;
  /** Default: the clock of the process. */
  readonly clock?: Clock;
}

const silentListener: QueueListener = {
  woken: () => undefined,
  missed: () => undefined,
  lapsed: () => undefined,
};

/**
 * The queues of one Redis, for one store of one sidecar. The tickets belong to a session, which
 * lives while it is refreshed; docs/decisions/0012 explains why.
 */
export class RedisQueue implements LockQueue {
  readonly refreshEveryMs = 500;
  readonly #attempts: Attempts<RedisLink>;
  readonly #commands: LockCommands;
  readonly #queueCommands: QueueCommands;
  readonly #limits: TimeLimits;
  readonly #wakeUps: WakeUps;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #sidecarId = createAttempt().id.replaceAll('-', '');
  readonly #tickets = new WeakMap<Attempt, Ticket>();
  #listener = silentListener;
  #sessions = 0;
  #session: Session | undefined;
  #opening: Promise<Session> | undefined;
  #isMuteSaid = false;

  constructor(options: RedisQueueOptions) {
    const { settings, logger, attempts, commands, queueCommands = new QueueCommands() } = options;
    this.#attempts = attempts;
    this.#commands = commands;
    this.#queueCommands = queueCommands;
    this.#logger = logger;
    this.#clock = options.clock ?? processClock;
    this.#limits = {
      tryTimeoutMs: settings.writeTimeoutMs,
      callTimeoutMs: settings.tryLockTimeoutMs,
    };
    this.#wakeUps = new WakeUps({
      settings,
      logger,
      clock: this.#clock,
      channel: toChannel(this.#sidecarId),
      onWoken: (attemptId) => {
        this.#listener.woken(attemptId);
      },
      onSubscribed: () => {
        this.#listener.missed();
      },
    });
  }

  listen(listener: QueueListener): void {
    this.#listener = listener;
  }

  ask(call: AskCall, signal: CancelSignal): Promise<AskResult> {
    this.#wakeUps.open();
    return toSupported(this.#askUntilAnswered(call, signal));
  }

  refresh(keys: readonly string[], signal: CancelSignal): Promise<readonly string[]> {
    if (keys.length === 0) return Promise.resolve([]);
    return toSupported(this.#refresh(keys, signal));
  }

  leave(call: AskCall): Promise<void> {
    const { key, owner, attempt, ttlMs, waitUntilMs } = call;
    const ticket = this.#tickets.get(attempt)?.name;
    // While the ticket may live, it may still be granted, if only by a bug.
    const ticketMs = Math.max(0, waitUntilMs - this.#clock.now());
    const terms = { key, owner, attempt, ticket, ttlMs: ticketMs + ttlMs };
    return this.#attempts.withdraw(toUndo(this.#commands, terms));
  }

  /** Stops listening for wake-ups. */
  close(): void {
    this.#wakeUps.close();
  }

  async #askUntilAnswered(call: AskCall, signal: CancelSignal): Promise<AskResult> {
    const ticket = this.#ticketOf(call.attempt);
    for (;;) {
      const { session, limits } = await prepareAsk(call, {
        attempts: this.#attempts,
        limits: this.#limits,
        clock: this.#clock,
        openSession: (limits) => this.#openSession(limits, signal),
      });
      const command = new Ask(this.#queueCommands, call, { ticket, session });
      const answer = await this.#attempts.run(command, limits, signal);
      if (answer === 'lapsed') this.#lapse(session);
      else if (answer !== 'sweeping') return answer;
    }
  }

  async #refresh(keys: readonly string[], signal: CancelSignal): Promise<readonly string[]> {
    const session = this.#session;
    if (session === undefined) {
      // No ask has succeeded since the last session ended.
      this.#listener.lapsed();
      return [];
    }
    const parts: Promise<readonly string[] | 'lapsed'>[] = [];
    for (let at = 0; at < keys.length; at += LOCKS_A_REFRESH) {
      const locks = keys.slice(at, at + LOCKS_A_REFRESH);
      const command = new Refresh(this.#queueCommands, { session, locks }, this.#clock);
      const { tryTimeoutMs } = this.#limits;
      const limits = { tryTimeoutMs, callTimeoutMs: tryTimeoutMs };
      parts.push(this.#attempts.run(command, limits, signal));
    }
    const answers = await Promise.all(parts);
    if (answers.includes('lapsed')) this.#lapse(session);
    return answers.flatMap((answer) => (answer === 'lapsed' ? [] : answer));
  }

  /** The present session, or a new one. Concurrent callers share one opening. */
  async #openSession(limits: TimeLimits, signal: CancelSignal): Promise<Session> {
    if (this.#session !== undefined) return this.#session;
    this.#opening ??= this.#open(limits, signal).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(limits: TimeLimits, signal: CancelSignal): Promise<Session> {
    const command = new Open(
      this.#queueCommands,
      () => {
        this.#sessions += 1;
        return { sidecarId: this.#sidecarId, number: this.#sessions };
      },
      this.#clock,
    );
    const { session, isMute } = await this.#attempts.run(command, limits, signal);
    this.#session = session;
    if (isMute) this.#sayMute();
    return session;
  }

  /** Discards a session and reports, once, that its tickets may have been dropped. */
  #lapse(session: Session): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#listener.lapsed();
  }

  #ticketOf(attempt: Attempt): Ticket {
    const known = this.#tickets.get(attempt);
    if (known !== undefined) return known;
    const ticket = new Ticket(this.#sidecarId, attempt.id);
    this.#tickets.set(attempt, ticket);
    return ticket;
  }

  #sayMute(): void {
    if (this.#isMuteSaid) return;
    this.#isMuteSaid = true;
    this.#logger.warn(
      'The Redis user may not publish to lock||wake||*; waiters notice a released lock up to a second later',
    );
  }
}
