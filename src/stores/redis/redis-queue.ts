import { Cancellation, type CancelSignal } from '../../base/cancellation';
import { type Clock, processClock } from '../../base/clock';
import type { Logger } from '../../base/logger';
import { race } from '../../base/race';
import { type Attempt, createAttempt } from '../../lock/attempt';
import type { AskCall, AskResult, LockQueue, QueueListener } from '../../lock/store-abilities';
import type { Attempts } from '../attempts/attempts';
import type { TimeLimits } from '../attempts/command';
import { prepareAsk } from '../attempts/prepare-ask';
import { byTag } from './by-tag';
import { toUndo } from './lock-calls';
import type { LockCommands } from './lock-commands';
import { Ask, Open, Refresh } from './queue-calls';
import { QueueCommands, type Session } from './queue-commands';
import type { RedisLink } from './redis-link';
import type { RedisSettings } from './redis-settings';
import { toNumber } from './replies';
import type { SideKeySpelling } from './side-keys';
import { Ticket } from './ticket';
import { toSupported } from './unsupported';
import { SUBSCRIBED_WITHIN_MS, type WakeUpSource, type WakeUpsOptions } from './wake-ups';

/** How many locks one script checks, which takes Redis about 100 µs. */
const LOCKS_A_REFRESH = 200;

/** The dependencies of {@link RedisQueue}. */
export interface RedisQueueOptions {
  readonly settings: RedisSettings;
  readonly logger: Logger;
  readonly attempts: Attempts<RedisLink>;
  /** Runs the asks. */
  readonly grants: Pick<Attempts<RedisLink>, 'run'>;
  readonly commands: LockCommands;
  readonly spelling: SideKeySpelling;
  readonly toWakeUps: (options: WakeUpsOptions) => WakeUpSource;
  /** Default: the clock of the process. */
  readonly clock?: Clock;
}

const silentListener: QueueListener = {
  woken: () => undefined,
  missed: () => undefined,
  lapsed: () => undefined,
};

/**
 * The queues of one Redis or a cluster, for one store of one sidecar. The tickets belong to a
 * session, which lives while it is refreshed; docs/decisions/0012 explains why. There is one session
 * for each tag of side keys, because the scripts for a lock must find it on the lock's server.
 */
export class RedisQueue implements LockQueue {
  readonly refreshEveryMs = 500;
  readonly #attempts: Attempts<RedisLink>;
  readonly #grants: RedisQueueOptions['grants'];
  readonly #spelling: SideKeySpelling;
  readonly #commands: LockCommands;
  readonly #queueCommands: QueueCommands;
  readonly #limits: TimeLimits;
  readonly #wakeUps: WakeUpSource;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #sidecarId = createAttempt().id.replaceAll('-', '');
  readonly #tickets = new WeakMap<Attempt, Ticket>();
  #listener = silentListener;
  #sessions = 0;
  readonly #openings = new Map<string, Promise<Session>>();
  /** The present sessions, by tag. */
  readonly #present = new Map<string, Session>();
  /** The tags without waiters at the last refresh. */
  readonly #unused = new Set<string>();
  #isMuteSaid = false;

  constructor(options: RedisQueueOptions) {
    const { settings, logger, attempts, commands, spelling } = options;
    this.#attempts = attempts;
    this.#commands = commands;
    this.#grants = options.grants;
    this.#spelling = spelling;
    this.#queueCommands = new QueueCommands(spelling);
    this.#logger = logger;
    this.#clock = options.clock ?? processClock;
    this.#limits = {
      tryTimeoutMs: settings.writeTimeoutMs,
      callTimeoutMs: settings.tryLockTimeoutMs,
    };
    this.#wakeUps = options.toWakeUps({
      settings,
      logger,
      clock: this.#clock,
      sidecarId: this.#sidecarId,
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
    void this.#wakeUps.open(this.#spelling.tagOf(call.key));
    return toSupported(this.#askUntilAnswered(call, signal));
  }

  /** To be called after a release of a lock was sent over the link that asks for it use. */
  releasing(key: string): void {
    this.#listener.releasing?.(key);
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
    const tag = this.#spelling.tagOf(call.key);
    for (;;) {
      const { session, limits } = await prepareAsk(call, {
        attempts: this.#attempts,
        limits: this.#limits,
        clock: this.#clock,
        signal,
        openSession: (limits) => this.#present.get(tag) ?? this.#openSession(tag, limits),
      });
      const command = new Ask(this.#queueCommands, call, { ticket, session });
      const answer = await this.#grants.run(command, limits, signal);
      if (answer === 'lapsed') this.#lapse([session]);
      else if (answer !== 'sweeping') return answer;
    }
  }

  async #refresh(keys: readonly string[], signal: CancelSignal): Promise<readonly string[]> {
    const groups = byTag(keys, this.#spelling);
    this.#forgetUnused(new Set(groups.keys()));
    const refreshes: Promise<readonly string[] | Session>[] = [];
    let isLapsed = false;
    for (const [tag, locks] of groups) {
      const session = this.#present.get(tag);
      if (session !== undefined) refreshes.push(...this.#refreshSession(session, locks, signal));
      // No ask has succeeded since the last session ended.
      else isLapsed = true;
      if (session === undefined && tag !== '') refreshes.push(this.#lookAt(locks, signal));
    }
    if (isLapsed) this.#listener.lapsed();
    const ended = await Promise.allSettled(refreshes);
    const answers = ended.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
    const lapsed = answers.filter((answer) => 'number' in answer);
    this.#lapse(lapsed);
    // One server of many may be away. The others' locks are refreshed nevertheless.
    if (answers.length === 0 && refreshes.length > 0) await Promise.all(refreshes);
    const free = answers.flatMap((answer) => ('number' in answer ? [] : answer));
    const left = lapsed.flatMap(({ tag }) => (tag === '' ? [] : [groups.get(tag) ?? []]));
    const looks = await Promise.all(left.map((locks) => this.#lookAt(locks, signal)));
    return [...free, ...looks.flat()];
  }

  /** Refreshes the locks of one session in parts. A part's answer is the session if it has ended. */
  #refreshSession(
    session: Session,
    keys: readonly string[],
    signal: CancelSignal,
  ): Promise<readonly string[] | Session>[] {
    const parts: Promise<readonly string[] | Session>[] = [];
    const { tryTimeoutMs } = this.#limits;
    const limits = { tryTimeoutMs, callTimeoutMs: tryTimeoutMs };
    for (let at = 0; at < keys.length; at += LOCKS_A_REFRESH) {
      const locks = keys.slice(at, at + LOCKS_A_REFRESH);
      const command = new Refresh(this.#queueCommands, { session, locks }, this.#clock);
      const answer = this.#attempts.run(command, limits, signal);
      parts.push(answer.then((free) => (free === 'lapsed' ? session : free)));
    }
    return parts;
  }

  /** Reads which of some locks are free that have no tickets of this sidecar. */
  async #lookAt(keys: readonly string[], signal: CancelSignal): Promise<readonly string[]> {
    const way = { key: keys[0] ?? '', timeoutMs: this.#limits.tryTimeoutMs, signal };
    const counts = await this.#attempts.ask(way, ({ client }) =>
      Promise.all(keys.map((key) => client.sendCommand(['EXISTS', key]))),
    );
    return keys.filter((_, index) => toNumber(counts[index]) === 0);
  }

  /** Forgets the sessions without waiters: they lapse, and that must not alarm other waiters. */
  #forgetUnused(tags: ReadonlySet<string>): void {
    for (const tag of this.#present.keys()) {
      if (tags.has(tag)) this.#unused.delete(tag);
      // Not at once: an ask may have just opened it, whose lock is refreshed from its answer on.
      else if (this.#unused.delete(tag)) this.#present.delete(tag);
      else this.#unused.add(tag);
    }
    this.#wakeUps.keep(tags);
  }

  /** Concurrent callers share one opening. */
  #openSession(tag: string, limits: TimeLimits): Promise<Session> {
    let opening = this.#openings.get(tag);
    if (opening === undefined) {
      opening = this.#open(tag, limits).finally(() => {
        this.#openings.delete(tag);
      });
      this.#openings.set(tag, opening);
    }
    return opening;
  }

  /**
   * Opens a session within the limits of the store, because others may wait for it too. For the
   * subscription, it waits no longer than the ask allows that began it: a refresh finds what a wake-up
   * would have told.
   */
  async #open(tag: string, limits: TimeLimits): Promise<Session> {
    const command = new Open(
      this.#queueCommands,
      () => {
        this.#sessions += 1;
        return { sidecarId: this.#sidecarId, number: this.#sessions, tag };
      },
      this.#clock,
    );
    const opened = this.#attempts.run(command, this.#limits, new Cancellation());
    opened.catch(() => undefined);
    if (tag !== '') await this.#subscribe(tag, limits);
    const { session, isMute } = await opened;
    this.#present.set(tag, session);
    if (isMute) this.#sayMute();
    return session;
  }

  /** Waits for the subscription to the wake-ups of a tag, but not for long. */
  #subscribe(tag: string, { callTimeoutMs }: TimeLimits): Promise<void> {
    const afterMs = Math.min(SUBSCRIBED_WITHIN_MS, callTimeoutMs / 2);
    const limit = { afterMs, clock: this.#clock };
    return race(this.#wakeUps.open(tag), limit, () => undefined);
  }

  /** Discards sessions and reports, once, that their tickets may have been dropped. */
  #lapse(sessions: readonly Session[]): void {
    let isPresent = false;
    for (const session of sessions) {
      if (this.#present.get(session.tag) !== session) continue;
      this.#present.delete(session.tag);
      isPresent = true;
    }
    if (isPresent) this.#listener.lapsed();
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
