import type { CancelSignal } from '../../base/cancellation';
import { type Clock, processClock } from '../../base/clock';
import type { Logger } from '../../base/logger';
import type { Attempt } from '../../lock/attempt';
import { StoreError } from '../../lock/lock-store';
import { awaitReply } from './await-reply';
import { CallDeadline } from './call-deadline';
import { CallsInFlight } from './calls-in-flight';
import type { Command, TimeLimits, Undo } from './command';
import { isElsewhere, isMovedAway } from './elsewhere';
import type { Link, Links } from './link';
import { SendLog } from './send-log';
import { type AnsweredSend, type Call, sendOnce } from './send-once';
import { Withdrawals } from './withdrawals';

/**
 * Pause before a command is sent again to a server that answers but can't serve it now, in
 * milliseconds.
 */
const PAUSE_MS = 50;

/** The parts and limits of a store's attempts. */
export interface AttemptsOptions<L extends Link> {
  readonly links: Links<L>;
  readonly logger: Logger;
  /** How long a withdrawal waits for its reply, in milliseconds. */
  readonly replyTimeoutMs: number;
  /** Called for each attempt that is withdrawn. */
  readonly onWithdrawal?: () => void;
  /** Default: the clock of the process. Simulations pass their own. */
  readonly clock?: Clock;
}

/**
 * Runs the calls of a store whose server is reached over a network that can lose replies. A call is
 * sent again until it is answered or its time is over. If its outcome is then unknown, it is
 * withdrawn. This class knows no particular server; a driver provides its {@link Links} and
 * {@link Command}s.
 */
export class Attempts<L extends Link> {
  readonly #links: Links<L>;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #onWithdrawal: () => void;
  readonly #withdrawals: Withdrawals<L>;
  readonly #inFlight: CallsInFlight;

  constructor(options: AttemptsOptions<L>) {
    const { links, logger, replyTimeoutMs, clock = processClock } = options;
    this.#links = links;
    this.#logger = logger;
    this.#clock = clock;
    this.#onWithdrawal = options.onWithdrawal ?? (() => undefined);
    this.#withdrawals = new Withdrawals({ links, logger, replyTimeoutMs, clock });
    this.#inFlight = new CallsInFlight(clock);
  }

  /**
   * Sends a command until it is answered or its time is over. If the first send fails before
   * anything was written, the call fails at once. A command is sent again only after a reply was
   * lost, because only then there is something to find out; or if its key has changed servers (see
   * {@link isElsewhere}).
   *
   * @throws {StoreError} for every failure; no other error
   */
  async run<Reply, Answer>(
    command: Command<L, Reply, Answer>,
    limits: TimeLimits,
    signal: CancelSignal,
  ): Promise<Answer> {
    const call = this.#begin(command, limits, signal);
    this.#enter(call);
    let sent: AnsweredSend<L, Answer> | undefined;
    try {
      while (sent === undefined) {
        try {
          sent = await sendOnce(call);
        } catch (error) {
          await this.#prepareRepeat(call, error);
        }
      }
      const { answer, needsTraces } = sent.answered;
      if (needsTraces === true && call.log.isOpen) await this.#assertNoTraceLost(call, sent.link);
      return answer;
    } finally {
      this.#inFlight.leave();
    }
  }

  /** An attempt may have been sent before the store was closed. Then the outcome is unknown. */
  #enter<Reply, Answer>(call: Call<L, Reply, Answer>): void {
    try {
      this.#inFlight.enter();
    } catch (error) {
      throw error instanceof StoreError ? toFinal(error, call) : error;
    }
  }

  /**
   * The error of a call that fails between two commands of its attempt. Like that of a command, it
   * takes all sends of the attempt into account.
   */
  toFinal(failure: unknown, command: Pick<Command<L, unknown, unknown>, 'attempt' | 'leaseMs'>) {
    if (!(failure instanceof StoreError) || command.attempt === undefined) return failure;
    return toFinal(failure, { command, log: logOf(command.attempt), links: this.#links });
  }

  #begin<Reply, Answer>(
    command: Command<L, Reply, Answer>,
    limits: TimeLimits,
    signal: CancelSignal,
  ): Call<L, Reply, Answer> {
    const clock = this.#clock;
    const log = command.attempt === undefined ? new SendLog() : logOf(command.attempt);
    const endsAtMs = clock.now() + limits.callTimeoutMs;
    return { command, limits, signal, log, endsAtMs, links: this.#links, clock, moves: 0 };
  }

  /** Prepares another send. Rejects with the call's error if the command must not be sent again. */
  async #prepareRepeat<Reply, Answer>(
    call: Call<L, Reply, Answer>,
    failure: unknown,
  ): Promise<void> {
    if (!(failure instanceof StoreError)) throw failure;
    if (!isRepeatable(failure, call) || this.#clock.now() + PAUSE_MS >= call.endsAtMs) {
      throw toFinal(failure, call);
    }
    if (isMovedAway(failure) && call.moves === 0) call.moves += 1;
    else if (failure.outcome === 'not-applied') await this.#pause();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(PAUSE_MS, resolve);
    });
  }

  /**
   * If a lost send took effect, it left its traces on the server, unless the server has lost its
   * data since. In that case, an answer that depends on the traces may be the effect of this same
   * call. The link that has answered is asked, because another one may lead to other data.
   */
  async #assertNoTraceLost<Reply, Answer>(
    { limits, endsAtMs, signal, log, clock }: Call<L, Reply, Answer>,
    link: L,
  ): Promise<void> {
    const silentAfterMs = limits.tryTimeoutMs;
    const timeoutMs = Math.min(silentAfterMs, endsAtMs - clock.now());
    const deadline = new CallDeadline({ timeoutMs, silentAfterMs, signal, clock });
    const reading = awaitReply(link, deadline, link.readDataEpoch());
    const dataEpoch = await reading.catch(() => undefined);
    deadline.clear();
    if (log.hasTracesIn(dataEpoch, this.#clock.now())) return;
    throw new StoreError(
      `${this.#links.serverName} was restarted or flushed before it replied, the outcome is unknown`,
      { kind: 'unavailable', outcome: 'unknown' },
    );
  }

  /**
   * Sends something that changes nothing, and waits for its reply. It is sent again only if it has no
   * link of its own, and its key has changed servers.
   *
   * @param way the key that determines the link; or the link itself
   * @param send rejects as {@link Command.send} does
   * @throws {StoreError} for every failure; no other error
   */
  async ask<T>(
    way: {
      readonly key: string;
      readonly link?: L | undefined;
      readonly timeoutMs: number;
      readonly signal: CancelSignal;
    },
    send: (link: L) => Promise<T>,
  ): Promise<T> {
    const deadline = new CallDeadline({ ...way, clock: this.#clock });
    try {
      for (let moves = 0; ; moves += 1) {
        const open = way.link ?? this.#links.linkFor(way.key);
        const link = open ?? (await this.#links.reach(way.key, deadline));
        try {
          return await awaitReply(link, deadline, send(link));
        } catch (error) {
          const isInTime = this.#clock.now() + PAUSE_MS < deadline.endsAtMs && !way.signal.aborted;
          if (way.link !== undefined || !(error instanceof StoreError)) throw error;
          if (!isElsewhere(error) || !isInTime) throw error;
          if (!isMovedAway(error) || moves > 0) await this.#pause();
        }
      }
    } finally {
      deadline.clear();
    }
  }

  /**
   * Undoes an attempt, or makes sure that it never takes effect. Resolves once that is certain.
   *
   * @throws {StoreError} of kind `closed` if the store is closed before
   */
  withdraw(undo: Undo<L>): Promise<void> {
    const log = logOf(undo.attempt);
    // Without a stamp, the server can't distinguish this attempt from another of the same owner.
    if (!log.isBounded || !log.isStamped) return Promise.resolve();
    const { leaseMs } = undo;
    const now = this.#clock.now();
    const { openUntilMs } = log;
    // A release needs no undoing once none of its sends can take effect any more.
    if (leaseMs === undefined && openUntilMs <= now) return Promise.resolve();
    this.#onWithdrawal();
    const endsAtMs = Math.max(now, openUntilMs) + (leaseMs ?? 0);
    return this.#withdrawals.add({ undo, markUntilMs: log.latestNotAfterMs, endsAtMs });
  }

  /**
   * Sends pending withdrawals over a link that is new, or has got more keys. Call this before any
   * call uses the link for them, so that withdrawals are written first.
   */
  resend(link: L): void {
    this.#withdrawals.resend(link);
  }

  /** Accepts no more calls. */
  close(): void {
    this.#inFlight.close();
  }

  /** Resolves when no call is in flight and no withdrawal is pending. */
  async whenSettled(): Promise<void> {
    // Calls first, because a call that fails now may add a withdrawal.
    await this.#inFlight.whenIdle();
    await this.#withdrawals.whenEmpty();
  }

  /**
   * Gives up pending withdrawals and cuts off calls in flight. Logs how many locks may remain. The
   * links are still open at this time.
   */
  abandon(): void {
    this.#withdrawals.abandon();
    const { count } = this.#inFlight;
    if (count === 0) return;
    this.#logger.warn(
      `${count} lock calls in flight were cut off; the locks that they took stay until they expire`,
    );
  }
}

/** The state on which repeated sends and withdrawals of an attempt depend. */
function logOf(attempt: Attempt): SendLog {
  const { memory } = attempt;
  if (memory instanceof SendLog) return memory;
  const log = new SendLog();
  attempt.memory = log;
  return log;
}

/** True if another send may show the outcome of the earlier ones, and can do no harm. */
function isRepeatable<L extends Link, Reply, Answer>(
  failure: StoreError,
  { log, signal }: Call<L, Reply, Answer>,
): boolean {
  if (isElsewhere(failure)) return log.isBounded && !signal.aborted;
  const { kind } = failure;
  const passes = kind === 'unavailable' || kind === 'deadline';
  return passes && log.isOpen && log.isBounded && !signal.aborted;
}

/** The state of a call on which its error depends. */
type SentSoFar<L extends Link> = Pick<Call<L, unknown, unknown>, 'log' | 'links'> & {
  readonly command: Pick<Command<L, unknown, unknown>, 'attempt' | 'leaseMs'>;
};

/** The final error of a call, which takes all of its sends into account. */
function toFinal<L extends Link>(
  failure: StoreError,
  { command, log, links }: SentSoFar<L>,
): StoreError {
  if (!log.mayHaveActed) return failure;
  const { kind, reason, message } = failure;
  if (command.attempt === undefined) {
    return new StoreError(message, { kind, outcome: 'not-applied', cause: failure, reason });
  }
  const text = `${message}, the outcome is unknown${toLatestEnd(log, command, links.serverName)}`;
  return new StoreError(text, { kind, outcome: 'unknown', cause: failure, reason });
}

/** The latest time until which a lock may exist that no caller knows of. */
function toLatestEnd(
  log: SendLog,
  { leaseMs }: { readonly leaseMs?: number },
  serverName: string,
): string {
  if (leaseMs === undefined) return '';
  if (!log.isBounded) {
    return `: a lock may exist for its whole lease, counted from when ${serverName} granted it`;
  }
  const end = new Date(log.latestNotAfterMs + leaseMs).toISOString();
  return `: a lock may exist until ${end} at the latest`;
}
