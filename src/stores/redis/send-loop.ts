import { setTimeout as pause } from 'node:timers/promises';

import type { CancelSignal } from '../../base/cancellation';
import type { Attempt } from '../../lock/attempt';
import { toEndReason } from '../../lock/call-policy';
import { StoreError } from '../../lock/lock-store';
import { CallLimit } from './call-limit';
import type { RedisConnection } from './redis-connection';
import type { RedisClient, RedisLink } from './redis-link';
import { REPLY } from './scripts';
import { SendLog, type SendStamp } from './send-log';

/** Before a repeated send to a Redis that answers but does not serve (LOADING, BUSY), in milliseconds. */
const PAUSE_MS = 50;

/** A call that may be sent several times. */
export interface RepeatableCall {
  readonly attempt: Attempt;
  /** How long one send waits for its reply. */
  readonly tryTimeoutMs: number;
  /** How long all of them may take together. */
  readonly callTimeoutMs: number;
  /** Aborts when the caller has gone. */
  readonly signal: CancelSignal;
  /** Writes the command; without a stamp where the server's clock isn't known. */
  readonly send: (client: RedisClient, stamp: SendStamp | undefined) => Promise<unknown>;
  /** False where a reply came too late to be handed on: the same attempt is sent again. */
  readonly isTimely: (reply: unknown, sentAtMs: number) => boolean;
  /** What an outcome that stays unknown means for the lock, added to the reason. */
  readonly toUnknown: (log: SendLog) => string;
}

/** A reply, and what preceded it. */
export interface LoopResult {
  readonly reply: unknown;
  readonly log: SendLog;
  readonly link: RedisLink;
}

/**
 * Sends a call until it is answered or its time is over. A first send that fails before anything
 * was written fails the call at once; only where an answer was lost is the call sent again, as
 * only then there is something to find out.
 */
export class SendLoop {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** What retries and withdrawals of an attempt go on from. */
  logOf(attempt: Attempt): SendLog {
    const { memory } = attempt;
    if (memory instanceof SendLog) return memory;
    const log = new SendLog();
    attempt.memory = log;
    return log;
  }

  /** @throws {StoreError} and nothing else */
  async run(call: RepeatableCall): Promise<LoopResult> {
    const log = this.logOf(call.attempt);
    const endsAtMs = performance.now() + call.callTimeoutMs;
    for (;;) {
      try {
        const result = await this.#tryOnce(call, log, endsAtMs);
        if (result !== undefined) return result;
      } catch (error) {
        const failure = error as StoreError;
        if (!isRepeatable(failure, log, call) || performance.now() + PAUSE_MS >= endsAtMs) {
          throw toFinal(failure, log, call);
        }
        if (failure.outcome === 'not-applied') await pause(PAUSE_MS);
      }
    }
  }

  /** One send and its reply; undefined where it has to be sent again. */
  async #tryOnce(
    call: RepeatableCall,
    log: SendLog,
    endsAtMs: number,
  ): Promise<LoopResult | undefined> {
    if (call.signal.aborted) throw failed(toEndReason(call.signal), 'deadline', 'not-applied');
    const timeoutMs = Math.min(call.tryTimeoutMs, endsAtMs - performance.now());
    const limit = new CallLimit({ timeoutMs, signal: call.signal });
    try {
      const link = this.#connection.link ?? (await this.#connection.reach(limit));
      const reply = await this.#send(call, log, { link, limit, endsAtMs });
      if (reply === REPLY.superseded) {
        throw failed('the attempt was withdrawn', 'rejected', 'not-applied');
      }
      return reply === undefined ? undefined : { reply, log, link };
    } finally {
      limit.clear();
    }
  }

  async #send(
    call: RepeatableCall,
    log: SendLog,
    way: { readonly link: RedisLink; readonly limit: CallLimit; readonly endsAtMs: number },
  ): Promise<unknown> {
    const { link, limit, endsAtMs } = way;
    const { clock, dataEpoch } = link;
    const sentAtMs = performance.now();
    const stamp =
      clock === undefined
        ? undefined
        : log.stamp(clock.at(limit.endsAtMs), clock.at(Math.max(endsAtMs, limit.endsAtMs)));
    const lost = {
      untilMs: limit.endsAtMs,
      tracesUntilMs: endsAtMs,
      dataEpoch,
      bounded: stamp !== undefined,
    };
    let reply: unknown;
    try {
      reply = await this.#connection.exchange(link, limit, (client) => call.send(client, stamp));
    } catch (error) {
      if (error instanceof StoreError && error.outcome === 'unknown') log.addLost(lost);
      throw error;
    }
    if (reply === REPLY.stale && clock !== undefined) {
      await this.#connection.exchange(link, limit, () => clock.read()).catch(toNotApplied);
      if (performance.now() < limit.endsAtMs) return undefined;
      throw failed('Redis ran the command too late', 'deadline', 'not-applied');
    }
    if (call.isTimely(reply, sentAtMs)) return reply;
    log.addLost(lost);
    throw failed('the lease was over before the reply of Redis came', 'deadline', 'unknown');
  }
}

/** A stale send has changed nothing, whatever becomes of the question for the time after it. */
function toNotApplied(cause: unknown): never {
  const { message, kind } = cause as StoreError;
  throw new StoreError(`Redis can't be reached: ${message}`, {
    kind,
    outcome: 'not-applied',
    cause,
  });
}

/** What a call fails with in the end, all of its sends considered. */
function toFinal(failure: StoreError, log: SendLog, call: RepeatableCall): StoreError {
  if (!log.isOpen) return failure;
  const message = `${failure.message}, the outcome is unknown${call.toUnknown(log)}`;
  const { kind, reason } = failure;
  return new StoreError(message, { kind, outcome: 'unknown', cause: failure, reason });
}

/** True where sending again may tell what became of the earlier sends, and can do no harm. */
function isRepeatable(failure: StoreError, log: SendLog, { signal }: RepeatableCall): boolean {
  const passes = failure.kind === 'unavailable' || failure.kind === 'deadline';
  return passes && log.isOpen && log.isBounded && !signal.aborted;
}

function failed(
  message: string,
  kind: 'deadline' | 'rejected',
  outcome: StoreError['outcome'],
): StoreError {
  return new StoreError(message, { kind, outcome, reason: message });
}
