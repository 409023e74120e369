import type { CancelSignal } from '../../base/cancellation';
import { type Clock, processClock } from '../../base/clock';
import type { Logger } from '../../base/logger';
import type { Attempt } from '../../lock/attempt';
import { StoreError } from '../../lock/lock-store';
import { awaitReply } from './await-reply';
import { CallDeadline } from './call-deadline';
import { CallsInFlight } from './calls-in-flight';
import type { Answered, Command, TimeLimits, Undo } from './command';
import type { Link, Links } from './link';
import { SendLog } from './send-log';
import { type Call, sendOnce } from './send-once';
import { Withdrawals } from './withdrawals';

/** Before a repeated send to a server that answers but does not serve, in milliseconds. */
const PAUSE_MS = 50;

/** What the attempts of a store stand on. */
export interface AttemptsOptions<L extends Link> {
  readonly links: Links<L>;
  readonly logger: Logger;
  /** How long a withdrawal waits for its reply, in milliseconds. */
  readonly replyTimeoutMs: number;
  /** Is told of each attempt that is withdrawn. */
  readonly onWithdrawal?: () => void;
  /** That of the process unless a simulation gives another. */
  readonly clock?: Clock;
}

/**
 * The calls of a store whose server is across a network that loses replies: each is sent until it is
 * answered or its time is over, and what stays unknown is withdrawn. Knows no server; a driver brings
 * its {@link Links} and {@link Command}s.
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
   * Sends a command until it is answered or its time is over. A first send that fails before
   * anything was written fails the call at once; only where an answer was lost is it sent again, as
   * only then there is something to find out.
   *
   * @throws {StoreError} and nothing else
   */
  async run<Reply, Answer>(
    command: Command<L, Reply, Answer>,
    limits: TimeLimits,
    signal: CancelSignal,
  ): Promise<Answer> {
    this.#inFlight.enter();
    const call = this.#begin(command, limits, signal);
    let answered: Answered<Answer> | undefined;
    try {
      while (answered === undefined) {
        try {
          answered = await sendOnce(call);
        } catch (error) {
          await this.#prepareRepeat(call, error);
        }
      }
      if (answered.needsTraces === true && call.log.isOpen) await this.#assertNoTraceLost(call);
      return answered.answer;
    } finally {
      this.#inFlight.leave();
    }
  }

  #begin<Reply, Answer>(
    command: Command<L, Reply, Answer>,
    limits: TimeLimits,
    signal: CancelSignal,
  ): Call<L, Reply, Answer> {
    const clock = this.#clock;
    const log = command.attempt === undefined ? new SendLog() : logOf(command.attempt);
    const endsAtMs = clock.now() + limits.callTimeoutMs;
    return { command, limits, signal, log, endsAtMs, links: this.#links, clock };
  }

  /** Rejects with what the call fails with, unless it is to be sent again. */
  async #prepareRepeat<Reply, Answer>(
    call: Call<L, Reply, Answer>,
    failure: unknown,
  ): Promise<void> {
    if (!(failure instanceof StoreError)) throw failure;
    if (!isRepeatable(failure, call) || this.#clock.now() + PAUSE_MS >= call.endsAtMs) {
      throw toFinal(failure, call);
    }
    if (failure.outcome === 'not-applied') await this.#pause();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(PAUSE_MS, resolve);
    });
  }

  /**
   * A send that was lost has left its traces if it took effect, unless the server has lost its data
   * since: then an answer that needs them may be this very call's doing.
   */
  async #assertNoTraceLost<Reply, Answer>(call: Call<L, Reply, Answer>): Promise<void> {
    const { command, signal, log } = call;
    const timeoutMs = Math.min(call.limits.tryTimeoutMs, call.endsAtMs - this.#clock.now());
    const ask = this.ask({ key: command.key, timeoutMs, signal }, (link) => link.readDataEpoch());
    const dataEpoch = await ask.catch(() => undefined);
    if (log.hasTracesIn(dataEpoch, this.#clock.now())) return;
    throw new StoreError(
      `${this.#links.serverName} was restarted or flushed before it replied, the outcome is unknown`,
      { kind: 'unavailable', outcome: 'unknown' },
    );
  }

  /**
   * Sends something once that changes nothing, and waits for its reply.
   *
   * @param send rejects as {@link Command.send} does
   * @throws {StoreError} and nothing else
   */
  async ask<T>(
    way: { readonly key: string; readonly timeoutMs: number; readonly signal: CancelSignal },
    send: (link: L) => Promise<T>,
  ): Promise<T> {
    const deadline = new CallDeadline({ ...way, clock: this.#clock });
    try {
      const link = this.#links.linkFor(way.key) ?? (await this.#links.reach(way.key, deadline));
      return await awaitReply(link, deadline, send(link));
    } finally {
      deadline.clear();
    }
  }

  /**
   * Undoes an attempt, or makes sure that it never takes effect; resolves once that is certain.
   *
   * @throws {StoreError} of kind `closed` where the store is closed before
   */
  withdraw(undo: Undo<L>): Promise<void> {
    const log = logOf(undo.attempt);
    // Sent without a stamp: the server could not tell this attempt from another of the same owner.
    if (!log.isBounded || !log.isStamped) return Promise.resolve();
    const { leaseMs } = undo;
    const now = this.#clock.now();
    const { openUntilMs } = log;
    // Nothing of a release is left to undo once none of its sends can take effect any more.
    if (leaseMs === undefined && openUntilMs <= now) return Promise.resolve();
    this.#onWithdrawal();
    const endsAtMs = Math.max(now, openUntilMs) + (leaseMs ?? 0);
    return this.#withdrawals.add({ undo, markUntilMs: log.latestNotAfterMs, endsAtMs });
  }

  /** Is due for every new link before any call gets it: what is to be withdrawn is written first. */
  resend(link: L): void {
    this.#withdrawals.resend(link);
  }

  /** Takes no more calls. */
  close(): void {
    this.#inFlight.close();
  }

  /** Resolves when no call is in flight and nothing is left to be withdrawn. */
  async whenSettled(): Promise<void> {
    // Calls first: one that fails now may leave a withdrawal behind.
    await this.#inFlight.whenIdle();
    await this.#withdrawals.whenEmpty();
  }

  /** Gives up what has not settled, and says what may be left of it. The links are still there. */
  abandon(): void {
    this.#withdrawals.abandon();
    const { count } = this.#inFlight;
    if (count === 0) return;
    this.#logger.warn(
      `${count} lock calls in flight were cut off; the locks that they took stay until they expire`,
    );
  }
}

/** What retries and withdrawals of an attempt go on from. */
function logOf(attempt: Attempt): SendLog {
  const { memory } = attempt;
  if (memory instanceof SendLog) return memory;
  const log = new SendLog();
  attempt.memory = log;
  return log;
}

/** True where sending again may tell what became of the earlier sends, and can do no harm. */
function isRepeatable<L extends Link, Reply, Answer>(
  { kind }: StoreError,
  { log, signal }: Call<L, Reply, Answer>,
): boolean {
  const passes = kind === 'unavailable' || kind === 'deadline';
  return passes && log.isOpen && log.isBounded && !signal.aborted;
}

/** What a call fails with in the end, all of its sends considered. */
function toFinal<L extends Link, Reply, Answer>(
  failure: StoreError,
  { command, log, links }: Call<L, Reply, Answer>,
): StoreError {
  if (!log.isOpen) return failure;
  const { kind, reason, message } = failure;
  if (command.attempt === undefined) {
    return new StoreError(message, { kind, outcome: 'not-applied', cause: failure, reason });
  }
  const text = `${message}, the outcome is unknown${toLatestEnd(log, command, links.serverName)}`;
  return new StoreError(text, { kind, outcome: 'unknown', cause: failure, reason });
}

/** Until when a lock may exist that nobody was told of. */
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
